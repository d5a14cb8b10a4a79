"""Actions that hold for the nodes that come after them in their scope."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch import Action, LaunchContext, SomeSubstitutionsType
from launch.substitution import resolve

from .parameter_descriptions import evaluate_parameters

# Launch configurations, so that groups scope them.
NAMESPACE, PARAMETERS, REMAPS = "ros_namespace", "global_params", "ros_remaps"


@dataclass(eq=False)
class PushROSNamespace(Action):
    namespace: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        pushed = resolve(context, self.namespace)
        context.launch_configurations[NAMESPACE] = within_namespace(context, pushed)


@dataclass(eq=False)
class SetParameter(Action):
    name: SomeSubstitutionsType
    value: Any

    def execute(self, context: LaunchContext) -> None:
        parameter = {resolve(context, self.name): self.value}
        _append(context, PARAMETERS, *evaluate_parameters(context, parameter).items())


@dataclass(eq=False)
class SetParametersFromFile(Action):
    filename: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        path = Path(resolve(context, self.filename)).absolute()
        if not path.is_file():
            raise FileNotFoundError(f"SetParametersFromFile: filename is {path}, which is no file")
        _append(context, PARAMETERS, path)


@dataclass(eq=False)
class SetRemap(Action):
    src: SomeSubstitutionsType
    dst: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        _append(context, REMAPS, (resolve(context, self.src), resolve(context, self.dst)))


def within_namespace(context: LaunchContext, namespace: str | None) -> str | None:
    """Absolute: below the pushed one where it is relative. None where neither is given."""
    base = context.launch_configurations.get(NAMESPACE)
    if namespace is None:
        return base
    if base is not None and not namespace.startswith("/"):
        namespace = f"{base}/{namespace}"
    return "/" + namespace.strip("/")


def _append(context: LaunchContext, name: str, *values: Any) -> None:
    # A new list: the one there may be an outer scope's.
    context.launch_configurations[name] = [*context.launch_configurations.get(name, ()), *values]

"""Actions that lead to other actions: a group, another launch file, a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity, SomeEntitiesType, as_list
from ..launch_description_sources import LaunchDescriptionSource, PythonLaunchDescriptionSource
from ..substitution import SomeSubstitutionsType, resolve
from .settings import SetLaunchConfiguration


@dataclass(eq=False, kw_only=True)
class OpaqueFunction(Action):
    """Calls a function with the context, and visits the actions it returns."""

    function: Callable[..., SomeEntitiesType | None]
    args: Iterable[Any] | None = None
    kwargs: Mapping[str, Any] | None = None

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return as_list(self.function(context, *(self.args or ()), **(self.kwargs or {})))


@dataclass(eq=False)
class GroupAction(Action):
    """Configurations and environment changed within a scoped group are as before after it; one
    that does not forward begins with none, and with the environment launch was started in."""

    actions: Iterable[LaunchDescriptionEntity]
    _: KW_ONLY
    scoped: bool = True
    forwarding: bool = True
    launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None

    def __post_init__(self) -> None:
        self.actions = as_list(self.actions)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        # Arguments do not reach into a group that forwards none.
        return as_list(self.actions) if self.forwarding or not self.scoped else []

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        more = {
            resolve(context, name): resolve(context, value)
            for name, value in (self.launch_configurations or {}).items()
        }
        if not self.scoped:
            context.launch_configurations.update(more)
            return as_list(self.actions)
        context.push_scope(forwarding=self.forwarding, configurations=more)
        return [*self.actions, OpaqueFunction(function=LaunchContext.pop_scope)]


@dataclass(eq=False)
class IncludeLaunchDescription(Action):
    """Not a scope: what the included file sets stays set. Put it in a GroupAction for one."""

    includes = True

    launch_description_source: Any  # LaunchDescriptionSource | SomeSubstitutionsType
    _: KW_ONLY
    launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None

    def __post_init__(self) -> None:
        self._arguments = tuple(self.launch_arguments or ())
        if not isinstance(self.launch_description_source, LaunchDescriptionSource):
            path = self.launch_description_source
            self.launch_description_source = PythonLaunchDescriptionSource(path)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return as_list(self.launch_description_source.try_get_launch_description_without_context())

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        description = self.launch_description_source.get_launch_description(context)
        for argument, conditional, includes in description.declarations():
            known = set().union(*(one.names(context) for one in (self, *includes)))
            if not (conditional or argument.default_value is not None or argument.name in known):
                raise RuntimeError(
                    f"Included launch description missing required argument '{argument.name}' "
                    f"(description: '{argument.description}'), given: {sorted(known)}. "
                    f"Give it as {argument.name}:=value on the command line, or in launch_arguments"
                )
        before = context.get_locals_as_dict()
        path = Path(self.launch_description_source.location).absolute()
        context.extend_locals({"current_launch_file_path": str(path)})
        return [
            *(SetLaunchConfiguration(name, value) for name, value in self._arguments),
            description,
            OpaqueFunction(function=LaunchContext.extend_locals, args=[before]),
        ]

    def names(self, context: LaunchContext) -> set[str]:
        return {resolve(context, name) for name, _ in self._arguments}

"""An argument of a launch file: `name:=value` on the command line, or from a file's includer."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from ..action import Action
from ..launch_context import LaunchContext
from ..substitution import SomeSubstitutionsType, resolve


@dataclass(eq=False)
class DeclareLaunchArgument(Action):
    """Once it has been visited, there is a launch configuration of its name."""

    declares = True

    name: str
    _: KW_ONLY
    default_value: SomeSubstitutionsType | None = None
    description: str | None = None
    choices: list[str] | None = None

    def __post_init__(self) -> None:
        if self.choices is None:
            self.description = self.description or "no description given"
            return
        text = (self.description or "").removesuffix(".")
        self.description = f"{text}. Valid choices are: {self.choices}".removeprefix(". ")
        if isinstance(self.default_value, str) and self.default_value not in self.choices:
            raise RuntimeError(
                f"argument '{self.name}': default_value '{self.default_value}' is none of its "
                f"choices {self.choices}: make it one of them"
            )

    def execute(self, context: LaunchContext) -> None:
        known = context.launch_configurations
        if self.name not in known:
            if self.default_value is None:
                raise RuntimeError(
                    f"Required launch argument '{self.name}' (description: '{self.description}') "
                    f"was not provided: give it as {self.name}:=value"
                )
            known[self.name] = resolve(context, self.default_value)
        if self.choices is not None and known[self.name] not in self.choices:
            raise RuntimeError(
                f"Argument '{self.name}' provided value '{known[self.name]}' is not valid. "
                f"Valid options are: {self.choices}"
            )

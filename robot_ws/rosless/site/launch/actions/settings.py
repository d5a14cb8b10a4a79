"""What holds from here on: launch configurations and environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..action import Action
from ..launch_context import LaunchContext
from ..substitution import SomeSubstitutionsType, resolve
from ..utilities import typed


@dataclass(eq=False)
class SetLaunchConfiguration(Action):
    name: SomeSubstitutionsType
    value: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        name = resolve(context, self.name)
        context.launch_configurations[name] = resolve(context, self.value)


@dataclass(eq=False)
class UnsetLaunchConfiguration(Action):
    name: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        context.launch_configurations.pop(resolve(context, self.name), None)


@dataclass(eq=False)
class SetEnvironmentVariable(Action):
    name: SomeSubstitutionsType
    value: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        context.environment[resolve(context, self.name)] = resolve(context, self.value)


@dataclass(eq=False)
class UnsetEnvironmentVariable(Action):
    name: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        context.environment.pop(resolve(context, self.name), None)


@dataclass(eq=False)
class AppendEnvironmentVariable(Action):
    name: SomeSubstitutionsType
    value: SomeSubstitutionsType
    prepend: bool | SomeSubstitutionsType = False
    separator: SomeSubstitutionsType = os.pathsep

    def execute(self, context: LaunchContext) -> None:
        name, value = resolve(context, self.name), resolve(context, self.value)
        parts = [context.environment[name], value] if name in context.environment else [value]
        if typed(context, self.prepend, bool):
            parts.reverse()
        context.environment[name] = resolve(context, self.separator).join(parts)

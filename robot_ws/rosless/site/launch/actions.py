"""The actions of launch files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

from . import events
from .event_handlers import EventHandler
from .execute_process import ExecuteProcess
from .launch_context import LaunchContext
from .launch_description import Action, LaunchDescriptionEntity, as_list
from .launch_description_sources import LaunchDescriptionSource
from .substitutions import SomeSubstitutionsType, number, resolve

__all__ = ["DeclareLaunchArgument", "ExecuteProcess", "GroupAction", "IncludeLaunchDescription"]
__all__ += ["LogInfo", "RegisterEventHandler", "SetLaunchConfiguration", "Shutdown", "TimerAction"]


@dataclass(eq=False)
class DeclareLaunchArgument(Action):
    """An argument of a launch file: `name:=value` on the command line, or from a file's includer.
    Once it has been visited, there is a launch configuration of its name."""

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
                    f"was not provided: give it as {self.name}:=value on the command line, or in "
                    "the launch_arguments of what includes its file"
                )
            known[self.name] = resolve(context, self.default_value)
        if self.choices is not None and known[self.name] not in self.choices:
            raise RuntimeError(
                f"Argument '{self.name}' provided value '{known[self.name]}' is not valid. "
                f"Valid options are: {self.choices}"
            )


@dataclass(eq=False)
class SetLaunchConfiguration(Action):
    name: SomeSubstitutionsType
    value: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        name = resolve(context, self.name)
        context.launch_configurations[name] = resolve(context, self.value)


@dataclass(eq=False)
class GroupAction(Action):
    """Launch configurations changed within a scoped group are as before after it."""

    actions: Iterable[LaunchDescriptionEntity]
    _: KW_ONLY
    scoped: bool = True

    def __post_init__(self) -> None:
        self.actions = as_list(self.actions)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return as_list(self.actions)

    def execute(self, context: LaunchContext) -> Iterator[LaunchDescriptionEntity]:
        before = context.launch_configurations
        if self.scoped:
            context.launch_configurations = dict(before)
        yield from self.actions
        context.launch_configurations = before


@dataclass(eq=False)
class IncludeLaunchDescription(Action):
    """Not a scope: what the included file sets stays set. Put it in a GroupAction for one."""

    launch_description_source: Any  # LaunchDescriptionSource | SomeSubstitutionsType
    _: KW_ONLY
    launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None

    def __post_init__(self) -> None:
        self._arguments = tuple(self.launch_arguments or ())
        if not isinstance(self.launch_description_source, LaunchDescriptionSource):
            path = self.launch_description_source
            self.launch_description_source = LaunchDescriptionSource(path)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return as_list(self.launch_description_source.try_get_launch_description_without_context())

    def execute(self, context: LaunchContext) -> Iterator[LaunchDescriptionEntity]:
        description = self.launch_description_source.get_launch_description(context)
        yield from (SetLaunchConfiguration(name, value) for name, value in self._arguments)
        yield description


@dataclass(eq=False, kw_only=True)
class LogInfo(Action):
    msg: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        context.log.info(resolve(context, self.msg), "launch.user")


@dataclass(eq=False, kw_only=True)
class Shutdown(Action):
    reason: str = "reason not given"

    def execute(self, context: LaunchContext) -> None:
        context.log.info(f"shutting down launched system: {self.reason}")
        context.emit_event_sync(events.Shutdown(reason=self.reason))


@dataclass(eq=False)
class RegisterEventHandler(Action):
    event_handler: EventHandler

    def execute(self, context: LaunchContext) -> None:
        context.handlers.appendleft(self.event_handler)


@dataclass(eq=False, kw_only=True)
class TimerAction(Action):
    """Visits its actions after `period` seconds, once, unless the launch ends before."""

    period: float | SomeSubstitutionsType
    actions: Iterable[LaunchDescriptionEntity]

    def __post_init__(self) -> None:
        self.actions = as_list(self.actions)

    def execute(self, context: LaunchContext) -> None:
        context.start(self._wait(context, number(context, self.period)))

    async def _wait(self, context: LaunchContext, period: float) -> None:
        if not await context.ends_within(period):
            context.visit_later(*self.actions)

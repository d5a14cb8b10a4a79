"""Events of launch itself. Those of its processes are in `launch.events.process`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..event import Event
from ..left_out import left_out
from . import process

if TYPE_CHECKING:
    from ..action import Action
    from ..launch_description import LaunchDescription

__all__ = [
    "ExecutionComplete",
    "IncludeLaunchDescription",
    "Shutdown",
    "TimerEvent",
    "matches_action",
    "process",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExecutionComplete(Event):
    action: Action


@dataclass(frozen=True, eq=False)
class IncludeLaunchDescription(Event):
    launch_description: LaunchDescription


@dataclass(frozen=True, eq=False, kw_only=True)
class Shutdown(Event):
    """The end of the launch: every process is asked to end, and none is started any more."""

    reason: str = "reason not given"
    due_to_sigint: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class TimerEvent(Event):
    timer_action: Action


def matches_action(target_action: Action) -> Callable[[Action], bool]:
    return lambda action: action is target_action


__getattr__ = left_out(__name__)

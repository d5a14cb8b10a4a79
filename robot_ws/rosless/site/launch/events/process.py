"""Events of processes: what became of one, and what one is asked to do."""

from __future__ import annotations

import signal as signals
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..event import Event
from ..left_out import left_out

Matcher = Callable[[Any], bool]  # of an ExecuteProcess, which imports this


@dataclass(frozen=True, eq=False, kw_only=True)
class RunningProcessEvent(Event):
    action: Any  # an ExecuteProcess
    process_name: str
    cmd: list[str]
    cwd: str | None
    env: dict[str, str]
    pid: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ProcessStarted(RunningProcessEvent):
    pass


@dataclass(frozen=True, eq=False, kw_only=True)
class ProcessExited(RunningProcessEvent):
    returncode: int  # -N where signal N ended it


@dataclass(frozen=True, eq=False, kw_only=True)
class ProcessIO(RunningProcessEvent):
    """Bytes as they were read: a line may come in several, and several lines in one."""

    text: bytes
    fd: int

    @property
    def from_stdout(self) -> bool:
        return self.fd == 1

    @property
    def from_stderr(self) -> bool:
        return self.fd == 2


@dataclass(frozen=True, eq=False, kw_only=True)
class ProcessTargetedEvent(Event):
    process_matcher: Matcher


@dataclass(frozen=True, eq=False, kw_only=True)
class ShutdownProcess(ProcessTargetedEvent):
    """As at the end of the launch: SIGINT, then SIGTERM, then SIGKILL."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SignalProcess(ProcessTargetedEvent):
    signal_number: str | signals.Signals  # the str is one's name, as in "SIGKILL"

    @property
    def signal(self) -> signals.Signals:
        number = self.signal_number
        return signals.Signals[number] if isinstance(number, str) else signals.Signals(number)

    @property
    def signal_name(self) -> str:
        return self.signal.name


def matches_pid(pid: int) -> Matcher:
    return lambda action: _detail(action, "pid") == pid


def matches_name(name: str) -> Matcher:
    return lambda action: _detail(action, "name") == name


def matches_executable(executable: str) -> Matcher:
    return lambda action: _detail(action, "cmd", [""])[0].endswith(executable)


def _detail(action: Any, key: str, missing: Any = None) -> Any:
    return (action.process_details or {}).get(key, missing)


__getattr__ = left_out(__name__)

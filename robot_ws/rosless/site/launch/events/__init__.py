"""What happens while a launched system runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Event:
    """Something that happened."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RunningProcessEvent(Event):
    action: Any  # an ExecuteProcess, which imports this
    process_name: str
    cmd: list[str]
    cwd: str | None
    env: dict[str, str]
    pid: int


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
class Shutdown(Event):
    """The end of the launch: every process is asked to end, and none is started any more."""

    reason: str = "reason not given"

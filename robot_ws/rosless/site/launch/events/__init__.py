"""What happens while a launched system runs. Of its processes: `launch.events.process`."""

from __future__ import annotations

from dataclasses import dataclass

from rosless.left_out import left_out

from . import process
from .process import Event

__all__ = ["Event", "Shutdown", "process"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Shutdown(Event):
    """The end of the launch: every process is asked to end, and none is started any more."""

    reason: str = "reason not given"
    due_to_sigint: bool = False


__getattr__ = left_out(__name__)

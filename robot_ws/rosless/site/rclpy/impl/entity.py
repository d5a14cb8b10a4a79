"""What an executor waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup


class Entity:
    """`condition` is DDS's, and tells that there is something to take; None for what is not DDS's.
    A callback group lets it run or not; while `busy` it is on its way there, and not waited for."""

    def __init__(self, callback_group: CallbackGroup, condition: int | None = None) -> None:
        self.callback_group, self.condition = callback_group, condition
        self.busy, self.alive = False, True
        callback_group.add_entity(self)

    def eligible(self) -> bool:
        return self.alive and not self.busy and self.callback_group.can_execute(self)

    def wait_ns(self) -> int | None:
        """How long until it is ready by itself; None: only its condition tells."""
        return None

    def take(self) -> Callable[[], Any] | None:
        """What there is, as something to call; it may answer with a coroutine."""
        raise NotImplementedError

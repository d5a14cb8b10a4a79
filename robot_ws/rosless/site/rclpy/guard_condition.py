"""Something that a program says has happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.impl.entity import Entity


class GuardCondition(Entity):
    def __init__(
        self,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup,
        wake: Callable[[], None],
    ) -> None:
        super().__init__(callback_group)
        self.callback, self._wake, self._triggered = callback, wake, False

    def trigger(self) -> None:
        self._triggered = True
        self._wake()

    def wait_ns(self) -> int | None:
        return 0 if self._triggered else None

    def take(self) -> Callable[[], Any] | None:
        self._triggered = False
        return self.callback

    def destroy(self) -> None:
        self.alive = False

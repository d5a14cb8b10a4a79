"""What a node owns, and an executor waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rosless.wire.library import WireError
from rosless.wire.participant import Endpoint, Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle

if TYPE_CHECKING:
    from rclpy.node import Node


class Entity:
    """`condition` is DDS's, and tells that there is something to take; None for what is not DDS's.
    A callback group lets it run or not; while `busy` it is on its way there, and not waited for."""

    events: Entity | None = None  # what it is told beside its data

    def __init__(
        self,
        node: Node,
        callback_group: CallbackGroup | None,
        condition: int | None = None,
        *endpoints: Endpoint,
    ) -> None:
        self.callback_group = callback_group or node.default_callback_group
        self.condition, self.endpoints = condition, endpoints
        self.busy, self.alive = False, True

    def eligible(self) -> bool:
        return self.alive and not self.busy and self.callback_group.can_execute(self)

    def wait_ns(self) -> int | None:
        """How long until it is ready by itself; None: only its condition tells."""
        return None

    def take(self) -> Callable[[], Any] | None:
        """What there is, as something to call; it may answer with a coroutine."""
        raise NotImplementedError

    def write(self, writer: Writer, parts: Sequence[Any], name: str) -> None:
        """Of something that another thread may destroy meanwhile."""
        try:
            if self.alive:
                return writer.write(parts)
        except WireError:
            if self.alive:
                raise
        raise InvalidHandle(f"'{name}' was destroyed")

    def destroy(self) -> None:
        self.alive = False
        if self.events is not None:
            self.events.alive = False
        for endpoint in self.endpoints:
            endpoint.close()

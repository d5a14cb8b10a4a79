"""What sends and what receives."""

from __future__ import annotations

import ctypes
import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.library import FOREVER, LIBRARY, WireError
from rosless.wire.participant import Endpoint, Reader, Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import Callback, EventCallbacks, incompatible_info
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile
from rclpy.time import Duration

if TYPE_CHECKING:
    from rclpy.node import Node


class _End(Entity):
    def __init__(
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        event_callbacks: EventCallbacks,
        *,
        kind: type[Endpoint],
    ) -> None:
        self.msg_type, self.qos_profile, self._logger = msg_type, qos_profile, node.get_logger()
        self.topic = self.topic_name = topic
        name = topic if qos_profile.avoid_ros_namespace_conventions else f"rt{topic}"
        end = kind(node.context.participant, name, msg_type.NAME, qos_profile.quality())
        super().__init__(callback_group, getattr(end, "condition", None), end)
        if told := event_callbacks.chosen(topic, self._logger.name):
            self.events = _IncompatibleQoS(callback_group, end, told)


class _IncompatibleQoS(Entity):
    """The endpoint itself is the condition."""

    def __init__(self, group: CallbackGroup, end: Endpoint, callback: Callback) -> None:
        end.watch_incompatible()
        super().__init__(group, end.ref)
        self._end, self._callback = end, callback

    def take(self) -> Callable[[], Any] | None:
        info = incompatible_info(*self._end.incompatible())
        return (lambda: self._callback(info)) if info.total_count_change else None


class Publisher(_End):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given, kind=Writer)
        self._writer: Writer
        [self._writer] = self.endpoints  # type: ignore[assignment]

    def eligible(self) -> bool:
        return False  # nobody waits for it

    def publish(self, msg: Any) -> None:
        """A message, or the bytes of one."""
        if isinstance(msg, self.msg_type):
            parts = cdr.pieces(msg)
        elif isinstance(msg, bytes):
            parts = [msg]
        else:
            raise TypeError(
                f"publish on '{self.topic}': found {type(msg).__module__}.{type(msg).__name__}, "
                f"wanted {self.msg_type.NAME}"
            )
        try:
            if self.alive:
                return self._writer.write(parts)
        except WireError:
            if self.alive:
                raise
        raise InvalidHandle(f"publisher on '{self.topic}' was destroyed")

    def get_subscription_count(self) -> int:
        return self._writer.met()

    def assert_liveliness(self) -> None:
        LIBRARY.dds_assert_liveliness(self._writer.ref)

    def wait_for_all_acked(self, timeout: Duration | None = None) -> bool:
        limit = FOREVER if timeout is None or timeout.nanoseconds < 0 else timeout.nanoseconds
        return bool(LIBRARY.dds_wait_for_acks(self._writer.ref, ctypes.c_int64(limit)) == 0)


class Subscription(_End):
    """A callback of one argument gets the message; of two, also what is known of its way here."""

    def __init__(self, *given: Any, callback: Callable[..., Any], raw: bool) -> None:
        self.callback, self.raw = callback, raw
        super().__init__(*given, kind=Reader)
        self._reader: Reader
        [self._reader] = self.endpoints  # type: ignore[assignment]

    @property
    def callback(self) -> Callable[..., Any]:
        return self._callback

    @callback.setter
    def callback(self, value: Callable[..., Any]) -> None:
        self._callback, self._informed = value, _arguments(value) == 2

    def get_publisher_count(self) -> int:
        return self._reader.met()

    def take(self) -> Callable[[], Any] | None:
        taken = self._reader.take()
        if not taken:
            return None
        data, stamp, _ = taken[0]
        try:
            message = data.tobytes() if self.raw else cdr.deserialize(data, self.msg_type)
        except cdr.Malformed as error:
            self._logger.error(f"dropped a message on '{self.topic}': {error}")
            return None
        if not self._informed:
            return lambda: self._callback(message)
        info = {"source_timestamp": stamp, "received_timestamp": time.time_ns()}
        return lambda: self._callback(message, info)


def _arguments(callback: Callable[..., Any]) -> int:
    """How many it takes, one or two."""
    signature = inspect.signature(callback)
    for count in (1, 2):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    raise RuntimeError(
        "Subscription.callback should have one argument (message) or two (message, its info)"
    )

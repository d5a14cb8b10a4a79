"""What sends and what receives."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.left_out import LeftOut, refuse
from rosless.wire.library import FOREVER, LIBRARY
from rosless.wire.participant import Endpoint, Reader, Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import (
    Callback,
    EventCallbacks,
    PublisherEventCallbacks,
    SubscriptionEventCallbacks,
    incompatible_info,
)
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile, profile
from rclpy.time import Duration

if TYPE_CHECKING:
    from rclpy.node import Node


class _End(Entity):
    def __init__(
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        qos: QoSProfile | int,
        group: CallbackGroup | None,
        callbacks: EventCallbacks,
        kind: type[Endpoint],
    ) -> None:
        self.msg_type, self.qos_profile, self._logger = msg_type, profile(qos), node.get_logger()
        self.topic = self.topic_name = node.resolve_topic_name(topic)
        quality = self.qos_profile.quality()
        end = self._end = kind(node.context.participant, f"rt{self.topic}", msg_type.NAME, quality)
        super().__init__(node, group, getattr(end, "condition", None), end)
        if told := callbacks.chosen(self.topic, self._logger.name):
            self.events = _IncompatibleQoS(node, group, end, told)

    def _met(self) -> int:
        return self._end.met()


class _IncompatibleQoS(Entity):
    """The endpoint itself is the condition."""

    def __init__(
        self, node: Node, group: CallbackGroup | None, end: Endpoint, callback: Callback
    ) -> None:
        end.watch_incompatible()
        super().__init__(node, group, end.ref)
        self._end, self._callback = end, callback

    def take(self) -> Callable[[], Any] | None:
        info = incompatible_info(*self._end.incompatible())
        return (lambda: self._callback(info)) if info.total_count_change else None


class Publisher(_End):
    _end: Writer

    def __init__(
        self,
        node: Node,
        /,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        **others: Any,
    ) -> None:
        refuse("create_publisher", others)
        callbacks = event_callbacks or PublisherEventCallbacks()
        super().__init__(node, msg_type, topic, qos_profile, callback_group, callbacks, Writer)

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
        self.write(self._end, parts, self.topic)

    get_subscription_count = _End._met

    def wait_for_all_acked(self, timeout: Duration | None = None) -> bool:
        limit = FOREVER if timeout is None or timeout.nanoseconds < 0 else timeout.nanoseconds
        return bool(LIBRARY.dds_wait_for_acks(self._end.ref, ctypes.c_int64(limit)) == 0)


class Subscription(_End):
    _end: Reader

    def __init__(
        self,
        node: Node,
        /,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        raw: bool = False,
        **others: Any,
    ) -> None:
        refuse("create_subscription", others)
        try:
            inspect.signature(callback).bind(None)
        except TypeError:
            raise LeftOut("a subscription's callback of more than the message") from None
        self.callback, self.raw = callback, raw
        callbacks = event_callbacks or SubscriptionEventCallbacks()
        super().__init__(node, msg_type, topic, qos_profile, callback_group, callbacks, Reader)

    get_publisher_count = _End._met

    def take(self) -> Callable[[], Any] | None:
        taken = self._end.take()
        if taken is None:
            return None
        data, _, _ = taken
        try:
            message = data.tobytes() if self.raw else cdr.deserialize(data, self.msg_type)
        except cdr.Malformed as error:
            self._logger.error(f"dropped a message on '{self.topic}': {error}")
            return None
        return lambda: self.callback(message)

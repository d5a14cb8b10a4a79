"""What sends."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.library import FOREVER, LIBRARY, WireError
from rosless.wire.participant import Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import IncompatibleQoS, PublisherEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile
from rclpy.time import Duration

if TYPE_CHECKING:
    from rclpy.node import Node


class Publisher(Entity):
    def __init__(
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        event_callbacks: PublisherEventCallbacks,
    ) -> None:
        self.msg_type, self.qos_profile = msg_type, qos_profile
        self.topic = self.topic_name = topic
        name, quality = qos_profile.dds_topic(topic), qos_profile.quality()
        self.writer = Writer(node.context.participant, name, msg_type.NAME, quality)
        super().__init__(callback_group, None, self.writer)
        if callback := event_callbacks.chosen(topic, node.get_logger().name):
            self.events = IncompatibleQoS(callback_group, self.writer, callback)

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
                return self.writer.write(parts)
        except WireError:
            if self.alive:
                raise
        raise InvalidHandle(f"publisher on '{self.topic}' was destroyed")

    def get_subscription_count(self) -> int:
        return self.writer.met()

    def assert_liveliness(self) -> None:
        LIBRARY.dds_assert_liveliness(self.writer.ref)

    def wait_for_all_acked(self, timeout: Duration | None = None) -> bool:
        limit = FOREVER if timeout is None or timeout.nanoseconds < 0 else timeout.nanoseconds
        code: int = LIBRARY.dds_wait_for_acks(self.writer.ref, ctypes.c_int64(limit))
        return code == 0

"""What sends."""

from __future__ import annotations

import ctypes
from typing import Any

from rosless.interfaces import cdr
from rosless.wire.library import FOREVER, LIBRARY, WireError
from rosless.wire.participant import Participant, Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.duration import Duration
from rclpy.event_handler import Events, PublisherEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.qos import QoSProfile


class Publisher:
    def __init__(
        self,
        participant: Participant,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile,
        event_callbacks: PublisherEventCallbacks,
        callback_group: CallbackGroup,
        logger_name: str,
    ) -> None:
        self.msg_type, self.topic, self.qos_profile = msg_type, topic, qos_profile
        quality = qos_profile.get_c_qos_profile()
        prefix = "" if qos_profile.avoid_ros_namespace_conventions else "rt"
        self.writer = Writer(participant, prefix + topic, msg_type.NAME, quality)
        handlers = event_callbacks.for_topic(topic, logger_name)
        self.events = Events(callback_group, self.writer, handlers) if handlers else None
        self.event_handlers = handlers
        self.logger_name = logger_name

    @property
    def topic_name(self) -> str:
        return self.topic

    def publish(self, msg: Any) -> None:
        """A message, or the bytes of one."""
        if not self.writer.open:
            raise InvalidHandle(f"publisher on '{self.topic}' was destroyed")
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
            self.writer.write(parts)
        except WireError:
            if self.writer.open:
                raise
            raise InvalidHandle(f"publisher on '{self.topic}' was destroyed") from None

    def get_subscription_count(self) -> int:
        return self.writer.met()

    def assert_liveliness(self) -> None:
        LIBRARY.dds_assert_liveliness(self.writer.ref)

    def wait_for_all_acked(self, timeout: Duration | None = None) -> bool:
        limit = FOREVER if timeout is None or timeout.nanoseconds < 0 else timeout.nanoseconds
        code: int = LIBRARY.dds_wait_for_acks(self.writer.ref, ctypes.c_int64(limit))
        return code == 0

    def destroy(self) -> None:
        if self.events is not None:
            self.events.alive = False
        self.writer.close()

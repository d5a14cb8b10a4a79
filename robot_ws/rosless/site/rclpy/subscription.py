"""What receives."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

from rosless.interfaces import cdr
from rosless.wire.participant import Participant, Reader

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import Events, SubscriptionEventCallbacks
from rclpy.impl.entity import Entity
from rclpy.logging import get_logger
from rclpy.qos import QoSProfile


class Subscription(Entity):
    """A callback of one argument gets the message; of two, also what is known of its way here."""

    def __init__(
        self,
        participant: Participant,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        callback_group: CallbackGroup,
        qos_profile: QoSProfile,
        raw: bool,
        event_callbacks: SubscriptionEventCallbacks,
        logger_name: str,
    ) -> None:
        self.msg_type, self.topic, self.qos_profile = msg_type, topic, qos_profile
        self.raw, self.logger_name = raw, logger_name
        self.callback = callback
        quality = qos_profile.get_c_qos_profile()
        prefix = "" if qos_profile.avoid_ros_namespace_conventions else "rt"
        self.reader = Reader(participant, prefix + topic, msg_type.NAME, quality)
        super().__init__(callback_group, self.reader.condition)
        handlers = event_callbacks.for_topic(topic, logger_name)
        self.events = Events(callback_group, self.reader, handlers) if handlers else None
        self.event_handlers = handlers

    @property
    def topic_name(self) -> str:
        return self.topic

    @property
    def callback(self) -> Callable[..., Any]:
        return self._callback

    @callback.setter
    def callback(self, value: Callable[..., Any]) -> None:
        self._callback, self._informed = value, _arguments(value) == 2

    def get_publisher_count(self) -> int:
        return self.reader.met()

    def take(self) -> Callable[[], Any] | None:
        taken = self.reader.take()
        if not taken:
            return None
        data, stamp, _ = taken[0]
        try:
            message = data.tobytes() if self.raw else cdr.deserialize(data, self.msg_type)
        except cdr.Malformed as error:
            get_logger(self.logger_name).error(f"dropped a message on '{self.topic}': {error}")
            return None
        if not self._informed:
            return lambda: self._callback(message)
        info = {"source_timestamp": stamp, "received_timestamp": time.time_ns()}
        return lambda: self._callback(message, info)

    def destroy(self) -> None:
        self.alive = False
        if self.events is not None:
            self.events.alive = False
        self.reader.close()


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

"""What receives."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.participant import Reader

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import IncompatibleQoS, SubscriptionEventCallbacks
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile

if TYPE_CHECKING:
    from rclpy.node import Node


class Subscription(Entity):
    """A callback of one argument gets the message; of two, also what is known of its way here."""

    def __init__(
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        event_callbacks: SubscriptionEventCallbacks,
        raw: bool,
    ) -> None:
        self.msg_type, self.qos_profile, self.raw = msg_type, qos_profile, raw
        self.topic = self.topic_name = topic
        self.callback, self._logger = callback, node.get_logger()
        name, quality = qos_profile.dds_topic(topic), qos_profile.quality()
        self.reader = Reader(node.context.participant, name, msg_type.NAME, quality)
        super().__init__(callback_group, self.reader.condition, self.reader)
        if told := event_callbacks.chosen(topic, self._logger.name):
            self.events = IncompatibleQoS(callback_group, self.reader, told)

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

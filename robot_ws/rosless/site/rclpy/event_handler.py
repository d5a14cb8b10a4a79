"""Events of publishers and subscriptions: met, incompatible, late, gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rosless.wire import status
from rosless.wire.library import LIBRARY
from rosless.wire.participant import Endpoint

from rclpy.callback_groups import CallbackGroup
from rclpy.impl.entity import Entity
from rclpy.impl.event_infos import (
    QoSLivelinessChangedInfo,
    QoSLivelinessLostInfo,
    QoSMessageLostInfo,
    QoSOfferedDeadlineMissedInfo,
    QoSOfferedIncompatibleQoSInfo,
    QoSPublisherMatchedInfo,
    QoSRequestedDeadlineMissedInfo,
    QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionMatchedInfo,
)
from rclpy.logging import get_logger
from rclpy.qos import QoSPolicyKind, qos_policy_name_from_kind

__all__ = [
    "EventHandler",
    "Events",
    "PublisherEventCallbacks",
    "QoSLivelinessChangedInfo",
    "QoSLivelinessLostInfo",
    "QoSMessageLostInfo",
    "QoSOfferedDeadlineMissedInfo",
    "QoSOfferedIncompatibleQoSInfo",
    "QoSPublisherEventType",
    "QoSPublisherMatchedInfo",
    "QoSRequestedDeadlineMissedInfo",
    "QoSRequestedIncompatibleQoSInfo",
    "QoSSubscriptionEventType",
    "QoSSubscriptionMatchedInfo",
    "SubscriptionEventCallbacks",
    "UnsupportedEventTypeError",
]
Callback = Callable[[Any], Any]
# DDS's numbers of policies, and ROS's.
_KINDS = {
    2: QoSPolicyKind.DURABILITY,
    4: QoSPolicyKind.DEADLINE,
    8: QoSPolicyKind.LIVELINESS,
    11: QoSPolicyKind.RELIABILITY,
    21: QoSPolicyKind.LIFESPAN,
}


class UnsupportedEventTypeError(RuntimeError):
    """What this middleware does not tell."""


class QoSPublisherEventType(IntEnum):
    RCL_PUBLISHER_OFFERED_DEADLINE_MISSED = 0
    RCL_PUBLISHER_LIVELINESS_LOST = 1
    RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS = 2
    RCL_PUBLISHER_MATCHED = 4


class QoSSubscriptionEventType(IntEnum):
    RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED = 0
    RCL_SUBSCRIPTION_LIVELINESS_CHANGED = 1
    RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS = 2
    RCL_SUBSCRIPTION_MESSAGE_LOST = 3
    RCL_SUBSCRIPTION_MATCHED = 5


@dataclass(frozen=True)
class EventHandler:
    """One kind of event, what it tells, and who is told."""

    event: status.Event
    payload: type
    event_type: IntEnum
    callback: Callback


_P, _S = QoSPublisherEventType, QoSSubscriptionEventType
_OF_PUBLISHERS = {
    "deadline": (
        status.OFFERED_DEADLINE,
        QoSOfferedDeadlineMissedInfo,
        _P.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED,
    ),
    "liveliness": (
        status.LIVELINESS_LOST,
        QoSLivelinessLostInfo,
        _P.RCL_PUBLISHER_LIVELINESS_LOST,
    ),
    "incompatible_qos": (
        status.OFFERED_INCOMPATIBLE,
        QoSOfferedIncompatibleQoSInfo,
        _P.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS,
    ),
    "matched": (status.PUBLICATION_MATCHED, QoSPublisherMatchedInfo, _P.RCL_PUBLISHER_MATCHED),
}
_OF_SUBSCRIPTIONS = {
    "deadline": (
        status.REQUESTED_DEADLINE,
        QoSRequestedDeadlineMissedInfo,
        _S.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED,
    ),
    "liveliness": (
        status.LIVELINESS_CHANGED,
        QoSLivelinessChangedInfo,
        _S.RCL_SUBSCRIPTION_LIVELINESS_CHANGED,
    ),
    "message_lost": (
        status.SAMPLE_LOST,
        QoSMessageLostInfo,
        _S.RCL_SUBSCRIPTION_MESSAGE_LOST,
    ),
    "incompatible_qos": (
        status.REQUESTED_INCOMPATIBLE,
        QoSRequestedIncompatibleQoSInfo,
        _S.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS,
    ),
    "matched": (
        status.SUBSCRIPTION_MATCHED,
        QoSSubscriptionMatchedInfo,
        _S.RCL_SUBSCRIPTION_MATCHED,
    ),
}


@dataclass
class _Callbacks:
    incompatible_type: Callback | None = field(default=None, kw_only=True)
    use_default_callbacks: bool = field(default=True, kw_only=True)

    def handlers(
        self, known: Mapping[str, tuple[status.Event, type, IntEnum]], warn: Callback
    ) -> list[EventHandler]:
        if self.incompatible_type is not None:
            raise UnsupportedEventTypeError("incompatible_type: Cyclone DDS does not tell")
        chosen = {name: getattr(self, name) for name in known}
        if chosen["incompatible_qos"] is None and self.use_default_callbacks:
            chosen["incompatible_qos"] = warn
        return [
            EventHandler(*known[name], callback)
            for name, callback in chosen.items()
            if callback is not None
        ]


@dataclass(kw_only=True)
class PublisherEventCallbacks(_Callbacks):
    deadline: Callback | None = None
    incompatible_qos: Callback | None = None
    liveliness: Callback | None = None
    matched: Callback | None = None

    def for_topic(self, topic: str, logger: str) -> list[EventHandler]:
        def warn(event: Any) -> None:
            get_logger(logger).warning(
                f"New subscription discovered on topic '{topic}', requesting incompatible QoS. "
                "No messages will be sent to it. Last incompatible policy: "
                f"{qos_policy_name_from_kind(event.last_policy_kind)}"
            )

        return self.handlers(_OF_PUBLISHERS, warn)


@dataclass(kw_only=True)
class SubscriptionEventCallbacks(_Callbacks):
    deadline: Callback | None = None
    incompatible_qos: Callback | None = None
    liveliness: Callback | None = None
    message_lost: Callback | None = None
    matched: Callback | None = None

    def for_topic(self, topic: str, logger: str) -> list[EventHandler]:
        def warn(event: Any) -> None:
            get_logger(logger).warning(
                f"New publisher discovered on topic '{topic}', offering incompatible QoS. "
                "No messages will be received from it. Last incompatible policy: "
                f"{qos_policy_name_from_kind(event.last_policy_kind)}"
            )

        return self.handlers(_OF_SUBSCRIPTIONS, warn)


class Events(Entity):
    """All that an endpoint's handlers want to know: the endpoint itself is the condition."""

    def __init__(
        self, callback_group: CallbackGroup, endpoint: Endpoint, handlers: Iterable[EventHandler]
    ) -> None:
        self.handlers = list(handlers)
        self._ref = endpoint.ref
        self._bits = 0
        for handler in self.handlers:
            self._bits |= handler.event.bit
        LIBRARY.dds_set_status_mask(self._ref, self._bits)
        super().__init__(callback_group, self._ref)

    def take(self) -> Callable[[], None] | None:
        changes = status.changes(self._ref) & self._bits
        told = [
            (one.callback, one.payload(**_translated(one.event.take(self._ref))))
            for one in self.handlers
            if one.event.bit & changes
        ]

        def call() -> None:
            for callback, payload in told:
                callback(payload)

        return call if told else None


def _translated(values: dict[str, int]) -> dict[str, int]:
    if "last_policy_kind" in values:
        kind = _KINDS.get(values["last_policy_kind"], QoSPolicyKind.INVALID)
        return {**values, "last_policy_kind": kind}
    return values

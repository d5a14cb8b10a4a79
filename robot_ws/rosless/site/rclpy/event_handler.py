"""What publishers and subscriptions are told beside data: whose quality of service does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rosless.left_out import refuse

from rclpy.logging import get_logger
from rclpy.qos import QoSPolicyKind

# DDS's numbers of policies, and ROS's. Others may ask for what we cannot offer.
_KINDS = {
    2: QoSPolicyKind.DURABILITY,
    4: QoSPolicyKind.DEADLINE,
    8: QoSPolicyKind.LIVELINESS,
    11: QoSPolicyKind.RELIABILITY,
}


@dataclass(frozen=True)
class QoSRequestedIncompatibleQoSInfo:
    total_count: int
    total_count_change: int
    last_policy_kind: QoSPolicyKind


QoSOfferedIncompatibleQoSInfo = QoSRequestedIncompatibleQoSInfo
Callback = Callable[[QoSRequestedIncompatibleQoSInfo], Any]


def incompatible_info(total: int, change: int, policy: int) -> QoSRequestedIncompatibleQoSInfo:
    kind = _KINDS.get(policy, QoSPolicyKind.INVALID)
    return QoSRequestedIncompatibleQoSInfo(total, change, kind)


class EventCallbacks:
    warning = "'{}'"

    def __init__(
        self,
        *,
        incompatible_qos: Callback | None = None,
        use_default_callbacks: bool = True,
        **others: Any,
    ) -> None:
        refuse(type(self).__name__, others)
        self.incompatible_qos, self.use_default_callbacks = incompatible_qos, use_default_callbacks

    def chosen(self, topic: str, logger: str) -> Callback | None:
        if self.incompatible_qos is not None or not self.use_default_callbacks:
            return self.incompatible_qos

        def warn(event: QoSRequestedIncompatibleQoSInfo) -> None:
            policy = f"Last incompatible policy: {event.last_policy_kind.name}"
            get_logger(logger).warning(f"{self.warning.format(topic)} {policy}")

        return warn


class PublisherEventCallbacks(EventCallbacks):
    warning = (
        "New subscription discovered on topic '{}', requesting incompatible QoS. No messages will "
        "be sent to it."
    )


class SubscriptionEventCallbacks(EventCallbacks):
    warning = (
        "New publisher discovered on topic '{}', offering incompatible QoS. No messages will be "
        "received from it."
    )

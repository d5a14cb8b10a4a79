"""What each kind of event tells."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.qos import QoSPolicyKind


@dataclass(frozen=True)
class _Counted:
    total_count: int
    total_count_change: int


@dataclass(frozen=True)
class _Matched(_Counted):
    current_count: int
    current_count_change: int


@dataclass(frozen=True)
class _Incompatible(_Counted):
    last_policy_kind: QoSPolicyKind


class QoSRequestedDeadlineMissedInfo(_Counted):
    pass


class QoSOfferedDeadlineMissedInfo(_Counted):
    pass


class QoSMessageLostInfo(_Counted):
    pass


class QoSLivelinessLostInfo(_Counted):
    pass


class QoSRequestedIncompatibleQoSInfo(_Incompatible):
    pass


class QoSSubscriptionMatchedInfo(_Matched):
    pass


class QoSPublisherMatchedInfo(_Matched):
    pass


@dataclass(frozen=True)
class QoSLivelinessChangedInfo:
    alive_count: int
    not_alive_count: int
    alive_count_change: int
    not_alive_count_change: int


QoSOfferedIncompatibleQoSInfo = QoSRequestedIncompatibleQoSInfo

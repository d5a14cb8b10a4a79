"""Quality of service: profiles, and whether two of them meet."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any, ClassVar, TypeVar

from rosless.wire.qos import INFINITE, Quality

from rclpy.duration import Duration

P = TypeVar("P", bound="QoSPolicyEnum")


class QoSPolicyKind(IntEnum):
    INVALID = 1 << 0
    DURABILITY = 1 << 1
    DEADLINE = 1 << 2
    LIVELINESS = 1 << 3
    RELIABILITY = 1 << 4
    HISTORY = 1 << 5
    LIFESPAN = 1 << 6
    DEPTH = 1 << 7
    LIVELINESS_LEASE_DURATION = 1 << 8
    AVOID_ROS_NAMESPACE_CONVENTIONS = 1 << 9


def qos_policy_name_from_kind(policy_kind: QoSPolicyKind | int) -> str:
    return QoSPolicyKind(policy_kind).name


class InvalidQoSProfileException(Exception):
    def __init__(self, *args: Any) -> None:
        super().__init__("Invalid QoSProfile", *args)


class QoSPolicyEnum(IntEnum):
    @classmethod
    def short_keys(cls) -> list[str]:
        return [key.lower() for key in cls.__members__ if not key.startswith("RMW")]

    @classmethod
    def get_from_short_key(cls: type[P], name: str) -> P:
        return cls[name.upper()]

    @property
    def short_key(self) -> str:
        return self.name.lower()


class HistoryPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class DurabilityPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class LivelinessPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    AUTOMATIC = 1
    MANUAL_BY_TOPIC = 3
    UNKNOWN = 4
    BEST_AVAILABLE = 5


QoSHistoryPolicy = HistoryPolicy
QoSReliabilityPolicy = ReliabilityPolicy
QoSDurabilityPolicy = DurabilityPolicy
QoSLivelinessPolicy = LivelinessPolicy


class QoSProfile:
    """A history, or a depth, has to be given; the rest is by default as below."""

    history: HistoryPolicy
    depth: int
    reliability: ReliabilityPolicy
    durability: DurabilityPolicy
    lifespan: Duration
    deadline: Duration
    liveliness: LivelinessPolicy
    liveliness_lease_duration: Duration
    avoid_ros_namespace_conventions: bool

    _DEFAULTS: ClassVar[dict[str, Any]] = {
        "history": HistoryPolicy.SYSTEM_DEFAULT,
        "depth": 0,
        "reliability": ReliabilityPolicy.RELIABLE,
        "durability": DurabilityPolicy.VOLATILE,
        "lifespan": Duration(),
        "deadline": Duration(),
        "liveliness": LivelinessPolicy.SYSTEM_DEFAULT,
        "liveliness_lease_duration": Duration(),
        "avoid_ros_namespace_conventions": False,
    }

    def __init__(self, **given: Any) -> None:
        unknown = given.keys() - self._DEFAULTS.keys()
        if unknown:
            raise AssertionError(f"QoSProfile has no {', '.join(sorted(unknown))}")
        if "history" not in given:
            if "depth" not in given:
                raise InvalidQoSProfileException("History and/or depth settings are required.")
            given["history"] = HistoryPolicy.KEEP_LAST
        if HistoryPolicy(given["history"]) == HistoryPolicy.KEEP_LAST and "depth" not in given:
            raise InvalidQoSProfileException("History set to KEEP_LAST without a depth setting.")
        for name, default in self._DEFAULTS.items():
            setattr(self, name, given.get(name, default))

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self._DEFAULTS[name])
        if issubclass(kind, IntEnum):
            value = kind(value)
        if not isinstance(value, kind):
            raise AssertionError(f"QoSProfile.{name}: found {value!r}, wanted {kind.__name__}")
        if name == "depth" and value < 0:
            raise ValueError(f"QoSProfile.depth: found {value}, wanted 0 or more")
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QoSProfile) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"QoSProfile({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def get_c_qos_profile(self) -> Quality:
        """As it goes over the wire; where nothing was chosen, as rmw_cyclonedds chooses."""
        best = (self.reliability, self.durability, self.liveliness)
        if any(policy.name == "BEST_AVAILABLE" for policy in best):
            raise NotImplementedError(
                "rosless: QoS policy BEST_AVAILABLE; name the policy you want"
            )
        return Quality(
            reliable=self.reliability != ReliabilityPolicy.BEST_EFFORT,
            transient_local=self.durability == DurabilityPolicy.TRANSIENT_LOCAL,
            depth=self.depth or 1,
            keep_all=self.history == HistoryPolicy.KEEP_ALL,
            deadline=_limit(self.deadline),
            lifespan=_limit(self.lifespan),
            by_hand=self.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC,
            lease=_limit(self.liveliness_lease_duration),
        )

    @classmethod
    def of(cls, quality: Quality) -> QoSProfile:
        """What is known of an endpoint elsewhere; its history is not told."""
        alive = LivelinessPolicy.MANUAL_BY_TOPIC if quality.by_hand else LivelinessPolicy.AUTOMATIC
        return cls(
            history=HistoryPolicy.UNKNOWN,
            reliability=ReliabilityPolicy.RELIABLE
            if quality.reliable
            else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL
            if quality.transient_local
            else DurabilityPolicy.VOLATILE,
            deadline=Duration(nanoseconds=quality.deadline),
            lifespan=Duration(nanoseconds=quality.lifespan),
            liveliness=alive,
            liveliness_lease_duration=Duration(nanoseconds=quality.lease),
        )


def _limit(span: Duration) -> int:
    """Zero says nothing was chosen."""
    return span.nanoseconds or INFINITE


class QoSCompatibility(IntEnum):
    OK = 0
    WARNING = 1
    ERROR = 2


def qos_check_compatible(
    publisher_qos: QoSProfile, subscription_qos: QoSProfile
) -> tuple[QoSCompatibility, str]:
    """Whether they will meet, and if not why. Who offers less than is asked for is not heard."""
    offered, asked = publisher_qos.get_c_qos_profile(), subscription_qos.get_c_qos_profile()
    reasons = []
    if asked.reliable and not offered.reliable:
        reasons.append("Best effort publisher and reliable subscription")
    if asked.transient_local and not offered.transient_local:
        reasons.append("Volatile publisher and transient local subscription")
    if asked.deadline < offered.deadline:
        reasons.append("Subscription's deadline is less than the publisher's")
    if asked.by_hand and not offered.by_hand:
        reasons.append("Publisher's liveliness is automatic and the subscription's by topic")
    if asked.lease < offered.lease:
        reasons.append("Subscription's liveliness lease is less than the publisher's")
    if not reasons:
        return QoSCompatibility.OK, ""
    return QoSCompatibility.ERROR, "".join(f"ERROR: {reason};" for reason in reasons)


qos_profile_default = QoSProfile(depth=10)
qos_profile_system_default = QoSProfile(
    history=HistoryPolicy.SYSTEM_DEFAULT,
    reliability=ReliabilityPolicy.SYSTEM_DEFAULT,
    durability=DurabilityPolicy.SYSTEM_DEFAULT,
)
qos_profile_sensor_data = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
qos_profile_services_default = QoSProfile(depth=10)
qos_profile_parameters = QoSProfile(depth=1000)
qos_profile_parameter_events = QoSProfile(depth=1000)
qos_profile_action_status_default = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
qos_profile_rosout_default = QoSProfile(
    depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=10)
)


class QoSPresetProfiles(Enum):
    SYSTEM_DEFAULT = qos_profile_system_default
    SENSOR_DATA = qos_profile_sensor_data
    SERVICES_DEFAULT = qos_profile_services_default
    PARAMETERS = qos_profile_parameters
    PARAMETER_EVENTS = qos_profile_parameter_events
    ACTION_STATUS_DEFAULT = qos_profile_action_status_default

    @classmethod
    def short_keys(cls) -> list[str]:
        return [name.lower() for name in cls.__members__]

    @classmethod
    def get_from_short_key(cls, name: str) -> QoSProfile:
        return cls[name.upper()].value

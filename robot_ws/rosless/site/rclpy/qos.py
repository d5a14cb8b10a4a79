"""Quality of service: profiles, and whether two of them meet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from rosless.left_out import LeftOut, refuse
from rosless.wire.qos import INFINITE, Quality

from rclpy.time import Duration


class QoSPolicyKind(IntEnum):
    """Of those that two ends may disagree about."""

    INVALID = 1 << 0
    DURABILITY = 1 << 1
    DEADLINE = 1 << 2
    LIVELINESS = 1 << 3
    RELIABILITY = 1 << 4


class InvalidQoSProfileException(Exception):
    def __init__(self, *args: Any) -> None:
        super().__init__("Invalid QoSProfile", *args)


class HistoryPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class DurabilityPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


QoSHistoryPolicy, QoSReliabilityPolicy = HistoryPolicy, ReliabilityPolicy
QoSDurabilityPolicy = DurabilityPolicy
LEFT_OUT = {"deadline", "liveliness", "liveliness_lease_duration"}
LEFT_OUT |= {"avoid_ros_namespace_conventions"}
UNCHOSEN = Duration()


@dataclass(init=False)
class QoSProfile:
    """A history, or a depth, has to be given; the rest is by default as here."""

    history: HistoryPolicy = HistoryPolicy.SYSTEM_DEFAULT
    depth: int = 0
    reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE
    lifespan: Duration = UNCHOSEN

    def __init__(self, **given: Any) -> None:
        refuse("QoSProfile", {name: given[name] for name in LEFT_OUT & given.keys()})
        if "history" not in given:
            if "depth" not in given:
                raise InvalidQoSProfileException("History and/or depth settings are required.")
            given["history"] = HistoryPolicy.KEEP_LAST
        for name, value in given.items():
            setattr(self, name, value)
        if self.history == HistoryPolicy.KEEP_LAST and "depth" not in given:
            raise InvalidQoSProfileException("History set to KEEP_LAST without a depth setting.")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in QoSProfile.__annotations__:
            raise AssertionError(f"QoSProfile has no {name}")
        kind = type(getattr(QoSProfile, name))
        if issubclass(kind, IntEnum):
            value = kind(value)
        if not isinstance(value, kind):
            raise AssertionError(f"QoSProfile.{name}: found {value!r}, wanted {kind.__name__}")
        if name == "depth" and value < 0:
            raise ValueError(f"QoSProfile.depth: found {value}, wanted 0 or more")
        super().__setattr__(name, value)

    def quality(self) -> Quality:
        """As it goes over the wire; where nothing was chosen, as rmw_cyclonedds chooses."""
        if "BEST_AVAILABLE" in (self.reliability.name, self.durability.name):
            raise LeftOut("QoS policy BEST_AVAILABLE")
        return Quality(
            reliable=self.reliability != ReliabilityPolicy.BEST_EFFORT,
            transient_local=self.durability == DurabilityPolicy.TRANSIENT_LOCAL,
            depth=self.depth or 1,
            keep_all=self.history == HistoryPolicy.KEEP_ALL,
            lifespan=self.lifespan.nanoseconds or INFINITE,
        )

    @classmethod
    def of(cls, quality: Quality) -> QoSProfile:
        """What is known of an endpoint elsewhere; its history is not told."""
        reliable, kept = ReliabilityPolicy, DurabilityPolicy
        return cls(
            history=HistoryPolicy.UNKNOWN,
            reliability=reliable.RELIABLE if quality.reliable else reliable.BEST_EFFORT,
            durability=kept.TRANSIENT_LOCAL if quality.transient_local else kept.VOLATILE,
            lifespan=Duration(nanoseconds=quality.lifespan),
        )


def profile(qos: QoSProfile | int) -> QoSProfile:
    """A number is a depth."""
    if isinstance(qos, QoSProfile):
        return qos
    if not isinstance(qos, int) or isinstance(qos, bool):
        raise TypeError(f"qos_profile: found {qos!r}, wanted a QoSProfile or int")
    return QoSProfile(depth=qos)


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

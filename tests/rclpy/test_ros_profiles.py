"""Profiles: what they are made of, and those that there are."""

from __future__ import annotations

import pytest
from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    InvalidQoSProfileException,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_parameters,
    qos_profile_sensor_data,
    qos_profile_services_default,
    qos_profile_system_default,
)
from ros_doing import Make
from std_msgs.msg import Int64

BEST, SURE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
GONE, KEPT = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL


def test_a_profile_wants_a_depth_or_a_history() -> None:
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile()
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile(history=HistoryPolicy.KEEP_LAST)
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile(reliability=BEST)
    with pytest.raises(AssertionError):
        QoSProfile(depth=1, nothing=2)
    for wrong in ({"depth": "1"}, {"lifespan": 1}, {"reliability": "reliable"}):
        with pytest.raises((AssertionError, ValueError)):
            QoSProfile(**{"depth": 1, **wrong})
    assert QoSProfile(depth=4).history == HistoryPolicy.KEEP_LAST
    assert QoSProfile(depth=4, reliability=2).reliability == BEST
    changed = QoSProfile(depth=4)
    changed.depth = 5
    with pytest.raises(AssertionError):
        changed.lifespan = 3  # type: ignore[assignment]


def test_profiles_are_equal_when_they_say_the_same() -> None:
    assert QoSProfile(depth=4) == QoSProfile(depth=4)
    assert QoSProfile(depth=4) != QoSProfile(depth=5)
    assert QoSProfile(depth=4) != QoSProfile(depth=4, lifespan=Duration(seconds=1))
    assert QoSProfile(depth=4) != 4  # type: ignore[comparison-overlap]
    assert "depth=4" in str(QoSProfile(depth=4))


def test_the_presets() -> None:
    default = QoSProfile(depth=10)
    assert (default.reliability, default.durability) == (SURE, GONE)
    sensor = qos_profile_sensor_data
    assert (sensor.reliability, sensor.durability, sensor.depth) == (BEST, GONE, 5)
    services = qos_profile_services_default
    assert (services.reliability, services.durability, services.depth) == (SURE, GONE, 10)
    assert qos_profile_parameters.depth == 1000
    assert qos_profile_system_default.reliability == ReliabilityPolicy.SYSTEM_DEFAULT
    status = QoSPresetProfiles.ACTION_STATUS_DEFAULT.value
    assert (status.durability, status.depth) == (KEPT, 1)


def test_a_number_is_a_depth(make: Make) -> None:
    node = make()
    assert node.create_publisher(Int64, "a", 7).qos_profile.depth == 7
    with pytest.raises(ValueError):  # noqa: PT011 - its words are rclpy's
        node.create_publisher(Int64, "a", -1)
    with pytest.raises(TypeError):
        node.create_publisher(Int64, "a", "7")  # type: ignore[arg-type]

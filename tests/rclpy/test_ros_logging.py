"""What is said: how loud, how often, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
import rclpy
import rosless
from rcl_interfaces.msg import Log
from rclpy.clock import ROSClock
from rclpy.clock_type import ClockType
from rclpy.logging import (
    LoggingSeverity,
    get_logger,
    get_logger_effective_level,
    get_logging_severity_from_string,
    set_logger_level,
)
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time
from ros_doing import Make, Program, spun_until, until

KEPT = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def said(logger: Any) -> list[bool]:
    """Each in its own place: in one, a severity is for good."""
    first = [logger.debug("x"), logger.info("x"), logger.warning("x")]
    return [*first, logger.error("x"), logger.fatal("x")]


def test_a_logger_says_what_is_loud_enough() -> None:
    logger = get_logger("loud")
    assert logger.name == "loud"
    assert logger.get_effective_level() == LoggingSeverity.INFO
    assert said(logger) == [False, True, True, True, True]
    logger.set_level(LoggingSeverity.ERROR)
    assert said(logger) == [False, False, False, True, True]
    assert logger.is_enabled_for(LoggingSeverity.FATAL)
    assert not logger.is_enabled_for(LoggingSeverity.WARN)
    assert get_logger_effective_level("loud") == LoggingSeverity.ERROR
    set_logger_level("loud", LoggingSeverity.DEBUG)
    assert all(get_logger("loud").log("x", severity) for severity in LoggingSeverity if severity)
    assert get_logging_severity_from_string("WARN") == LoggingSeverity.WARN
    with pytest.raises((RuntimeError, KeyError)):
        get_logging_severity_from_string("nothing")


def test_a_child_is_as_loud_as_its_parent() -> None:
    parent = get_logger("parent")
    child = parent.get_child("child")
    assert child.name == "parent.child"
    parent.set_level(LoggingSeverity.DEBUG)
    assert child.get_effective_level() == LoggingSeverity.DEBUG
    child.set_level(LoggingSeverity.FATAL)
    assert (parent.debug("x"), child.error("x")) == (True, False)
    child.set_level(LoggingSeverity.UNSET)
    assert child.get_effective_level() == LoggingSeverity.DEBUG
    assert get_logger("parents").get_effective_level() == LoggingSeverity.INFO
    with pytest.raises(ValueError, match="name"):
        parent.get_child("")


def test_not_too_often() -> None:
    logger, clock = get_logger("throttled"), ROSClock()
    clock._set_ros_time_is_active(True)

    def said(second: float) -> bool:
        clock.set_ros_time_override(Time(seconds=second, clock_type=ClockType.ROS_TIME))
        return bool(logger.info("x", throttle_duration_sec=1.0, throttle_time_source_type=clock))

    assert [said(t) for t in (10, 10.5, 10.9, 11, 11.5, 12.5)] == [
        *(True, False, False, True, False, True),
    ]
    assert [logger.info("x", throttle_duration_sec=1000.0) for _ in range(3)] == [
        True,
        False,
        False,
    ]


def test_what_is_no_way_to_say_it() -> None:
    with pytest.raises(TypeError):
        get_logger("wrong").info("x", nothing=True)


def test_a_line_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    get_logger("a.b").warning("look out: é")
    captured = capfd.readouterr()
    line = (captured.out + captured.err).strip()
    assert "[WARN]" in line
    assert "[a.b]: look out: é" in line
    assert "\n" not in line


def test_what_nodes_say_is_heard(make: Make) -> None:
    """By who comes later, too; and no more of a node that is quiet there."""
    quiet = make("quiet", enable_rosout=False)
    quiet.get_logger().info("not heard")
    talker = make("talker", namespace="/ns")
    said: list[Log] = []
    talker.get_logger().debug("too soft")
    talker.get_logger().info("before")
    listener = make("listener")
    listener.create_subscription(Log, "/rosout", said.append, KEPT)

    def heard(text: str) -> Any:
        rclpy.spin_once(listener, timeout_sec=0.1)
        return next((one for one in said if one.msg == text), None)

    late = until(lambda: heard("before"))
    assert late.name == "ns.talker"
    assert late.level == LoggingSeverity.INFO
    assert late.file.endswith("test_ros_logging.py")
    assert late.function == "test_what_nodes_say_is_heard"
    assert late.line > 0
    assert late.stamp.sec > 0
    talker.get_logger().get_child("child").error("of a child")
    child = until(lambda: heard("of a child"))
    assert (child.name, child.level) == ("ns.talker.child", LoggingSeverity.ERROR)
    assert not any(one.msg in ("not heard", "too soft") for one in said)


@pytest.mark.skipif(not rosless.ACTIVE, reason="Jazzy keeps one for a name")
def test_of_two_with_one_name_the_other_is_still_heard(make: Make) -> None:
    first, second, said = make("twin"), make("twin"), list[str]()
    listener = make("listener")
    listener.create_subscription(Log, "/rosout", lambda m: said.append(m.msg), KEPT)
    second.destroy_node()
    first.get_logger().info("still here")
    spun_until(listener, lambda: "still here" in said)
    assert said.count("still here") == 1


SPOKEN = """
from rclpy.logging import get_logger
rclpy.init()
for name in ("one", "two", "one.child"):
    for kind in ("debug", "info", "warning", "error"):
        if getattr(get_logger(name), kind)("x"):
            print(name, kind)
rclpy.shutdown()
"""


def test_how_loud_is_said_on_the_command_line() -> None:
    words = ("--ros-args", "--log-level", "error", "--log-level", "one:=debug")
    with Program(SPOKEN, *words) as program:
        assert program.ends() == 0
    assert program.lines == [
        *("one debug", "one info", "one warning", "one error"),
        "two error",
        *("one.child debug", "one.child info", "one.child warning", "one.child error"),
    ]
    with Program(SPOKEN, "--ros-args", "--log-level", "loud") as program:
        assert program.ends() != 0

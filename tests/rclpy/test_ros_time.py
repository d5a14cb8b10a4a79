"""Times, spans and clocks, and who is told when a clock jumps."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from builtin_interfaces.msg import Duration as DurationMsg
from builtin_interfaces.msg import Time as TimeMsg
from rclpy.clock import Clock, ROSClock
from rclpy.clock_type import ClockType
from rclpy.duration import Duration, Infinite
from rclpy.time import Time

SECOND = 10**9
KINDS = (ClockType.SYSTEM_TIME, ClockType.ROS_TIME, ClockType.STEADY_TIME)


def at(nanoseconds: int) -> Time:
    return Time(nanoseconds=nanoseconds, clock_type=ClockType.ROS_TIME)


def test_a_time_is_made_of_seconds_and_nanoseconds() -> None:
    assert Time().nanoseconds == 0
    assert Time().clock_type == ClockType.SYSTEM_TIME
    assert Time(seconds=1.5, nanoseconds=2).nanoseconds == 1_500_000_002
    assert Time(seconds=3, nanoseconds=7).seconds_nanoseconds() == (3, 7)
    assert Time(nanoseconds=2**63 - 1).nanoseconds == 2**63 - 1
    with pytest.raises(OverflowError):
        Time(nanoseconds=2**63)
    for wrong in ({"seconds": -1}, {"nanoseconds": -1}):
        with pytest.raises(ValueError, match="negative"):
            Time(**wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Time(clock_type="ROS_TIME")  # type: ignore[arg-type]
    assert "5" in repr(at(5))
    assert "ROS_TIME" in repr(at(5))


def test_a_span_may_be_negative() -> None:
    assert Duration(seconds=-1.5).nanoseconds == -1_500_000_000
    assert Duration(seconds=1, nanoseconds=-1).nanoseconds == SECOND - 1
    for wrong in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            Duration(nanoseconds=wrong)
    assert str(Duration(nanoseconds=5)) == "5 nanoseconds"
    assert str(Infinite) == "Infinite"


def test_arithmetic() -> None:
    span = Duration(seconds=2)
    assert at(5) + span == at(2 * SECOND + 5)
    assert span + at(5) == at(2 * SECOND + 5)
    assert at(3 * SECOND) - span == at(SECOND)
    assert at(5) - at(8) == Duration(nanoseconds=-3)
    with pytest.raises(ValueError, match="negative"):
        at(5) - span
    with pytest.raises(OverflowError):
        at(2**63 - 1) + Duration(nanoseconds=1)
    with pytest.raises(TypeError):
        at(5) - Time(nanoseconds=1)
    for wrong in (5, "text"):
        with pytest.raises(TypeError):
            at(5) + wrong  # type: ignore[operator]
        with pytest.raises(TypeError):
            at(5) - wrong  # type: ignore[operator]


ORDERED = (operator.lt, operator.le, operator.gt, operator.ge)


@pytest.mark.parametrize("compare", [operator.eq, operator.ne, *ORDERED])
def test_comparisons(compare: Callable[[Any, Any], bool]) -> None:
    for a, b in ((1, 2), (2, 2), (3, 2)):
        assert compare(at(a), at(b)) is compare(a, b)
        assert compare(Duration(nanoseconds=a), Duration(nanoseconds=b)) is compare(a, b)
    with pytest.raises(TypeError):
        compare(at(1), Time(nanoseconds=1))


@pytest.mark.parametrize("compare", ORDERED)
def test_what_cannot_be_compared(compare: Callable[[Any, Any], bool]) -> None:
    for one in (at(1), Duration(nanoseconds=1)):
        with pytest.raises(TypeError):
            compare(one, 1)
    with pytest.raises(TypeError):
        compare(at(1), Duration(nanoseconds=1))
    assert at(1) != 1
    assert Duration(nanoseconds=1) != 1  # type: ignore[comparison-overlap]


def test_to_a_message_and_back() -> None:
    assert at(5 * SECOND + 6).to_msg() == TimeMsg(sec=5, nanosec=6)
    assert Time.from_msg(TimeMsg(sec=5, nanosec=6)) == at(5 * SECOND + 6)
    steady = Time.from_msg(TimeMsg(), clock_type=ClockType.STEADY_TIME)
    assert steady.clock_type == ClockType.STEADY_TIME
    back = Duration(nanoseconds=-1).to_msg()
    assert back == DurationMsg(sec=-1, nanosec=SECOND - 1)
    assert Duration.from_msg(back) == Duration(nanoseconds=-1)
    with pytest.raises(TypeError):
        Time.from_msg(DurationMsg(sec=1))
    with pytest.raises(TypeError):
        Duration.from_msg(TimeMsg(sec=1))


def test_clocks_are_of_a_kind() -> None:
    for kind in KINDS:
        clock = Clock(clock_type=kind)
        assert clock.clock_type == kind == clock.now().clock_type
        before = clock.now()
        assert clock.now() >= before
    assert isinstance(Clock(clock_type=ClockType.ROS_TIME), ROSClock)
    assert Clock().clock_type == ClockType.SYSTEM_TIME
    with pytest.raises(TypeError):
        Clock(clock_type="STEADY_TIME")  # type: ignore[arg-type]

"""Timers and rates, by a clock that the test itself moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.clock import Clock, ROSClock
from rclpy.clock_type import ClockType
from rclpy.exceptions import ROSInterruptException
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.time import Time
from rclpy.timer import Timer
from ros_doing import PATIENCE_S, Make, Spin, spun_until, until
from rosgraph_msgs.msg import Clock as ClockMsg

MS = 10**6


class Hand:
    """A clock moved by hand, and the node whose timers follow it."""

    def __init__(self, node: Node) -> None:
        self.node, self.clock = node, ROSClock()
        self.clock._set_ros_time_is_active(True)
        self.now_ms = 0
        self.called: list[int] = []
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)

    def timer(
        self, period_ms: float, callback: Callable[[], Any] | None = None, **kw: Any
    ) -> Timer:
        def note() -> None:
            self.called.append(self.now_ms)
            if callback is not None:
                callback()

        return self.node.create_timer(period_ms / 1000, note, clock=self.clock, **kw)

    def move(self, *times_ms: int) -> list[int]:
        """When it was called on the way, each time looked at twice."""
        self.called.clear()
        for self.now_ms in times_ms:
            self.clock.set_ros_time_override(
                Time(nanoseconds=self.now_ms * MS, clock_type=ClockType.ROS_TIME)
            )
            for _ in range(4):
                self._executor.spin_once(timeout_sec=0)
        return list(self.called)

    def close(self) -> None:
        self._executor.shutdown()


@pytest.fixture
def hand(make: Make) -> Iterator[Hand]:
    node = make("timed", start_parameter_services=False, enable_rosout=False)
    moved = Hand(node)
    yield moved
    moved.close()


def test_a_timer_is_called_when_its_period_is_over(hand: Hand) -> None:
    hand.timer(100)
    assert hand.move(0, 99, 100, 101, 199, 200) == [100, 200]


def test_a_late_call_does_not_make_the_next_one_late(hand: Hand) -> None:
    hand.timer(100)
    assert hand.move(190, 199, 200, 299, 300) == [190, 200, 300]


def test_calls_that_were_missed_are_missed(hand: Hand) -> None:
    hand.timer(100)
    assert hand.move(550, 560, 600, 650, 700) == [550, 600, 700]


def test_a_timer_is_cancelled_and_reset(hand: Hand) -> None:
    timer = hand.timer(100)
    assert hand.move(100) == [100]
    assert not timer.is_canceled()
    timer.cancel()
    assert timer.is_canceled()
    assert hand.move(250, 1050) == []
    timer.reset()
    assert not timer.is_canceled()
    assert hand.move(1149, 1150, 1250) == [1150, 1250]


def test_a_timer_that_cancels_itself_is_called_once(hand: Hand) -> None:
    timers: list[Timer] = []
    timers.append(hand.timer(100, lambda: timers[0].cancel()))
    assert hand.move(100, 200, 300) == [100]


def test_a_timer_that_destroys_itself_is_called_once(hand: Hand) -> None:
    timers: list[Timer] = []
    timers.append(hand.timer(100, lambda: hand.node.destroy_timer(timers[0])))
    assert hand.move(100, 200, 300) == [100]
    assert list(hand.node.timers) == []


def test_a_timer_that_waits_to_be_started(hand: Hand) -> None:
    timer = hand.timer(100, autostart=False)
    assert hand.move(200) == []
    timer.reset()
    assert hand.move(299, 300) == [300]


def test_another_period(hand: Hand) -> None:
    timer = hand.timer(100)
    assert timer.timer_period_ns == 100 * MS
    timer.timer_period_ns = 50 * MS
    assert timer.timer_period_ns == 50 * MS
    hand.move(100)
    assert hand.move(150, 200, 201) == [150, 200]


def test_what_a_timer_knows(hand: Hand) -> None:
    timer = hand.timer(100)
    hand.move(30)
    assert timer.time_until_next_call() == 70 * MS
    assert not timer.is_ready()
    hand.move(100, 120)
    assert timer.time_since_last_call() == 20 * MS
    assert timer.time_until_next_call() == 80 * MS
    timer.cancel()
    assert timer.time_until_next_call() is None
    with pytest.raises((ValueError, RuntimeError)):
        hand.timer(-1)


def test_a_jump_back_begins_the_period_again(hand: Hand) -> None:
    hand.timer(100)
    assert hand.move(1000) == [1000]
    assert hand.move(500, 599, 600, 700) == [600, 700]


def test_no_period_is_called_at_each_look(make: Make) -> None:
    node, called = make(), list[int]()
    node.create_timer(0.0, lambda: called.append(1))
    spun_until(node, lambda: len(called) >= 3)


def test_timers_follow_the_clock_topic(make: Make, spin: Spin) -> None:
    teller, called = make("teller"), list[int]()
    clock = teller.create_publisher(ClockMsg, "/clock", 10)
    node = make("timed", parameter_overrides=[Parameter("use_sim_time", value=True)])
    assert node.get_clock().now().nanoseconds == 0
    node.create_timer(0.1, lambda: called.append(node.get_clock().now().nanoseconds // MS))
    until(lambda: clock.get_subscription_count() == 1)
    spin(node)

    def tell(ms: int) -> None:
        time = Time(nanoseconds=ms * MS, clock_type=ClockType.ROS_TIME)
        clock.publish(ClockMsg(clock=time.to_msg()))
        until(lambda: node.get_clock().now().nanoseconds == ms * MS)

    tell(1000)
    until(lambda: called == [1000])
    tell(1050)
    tell(1100)
    until(lambda: called == [1000, 1100])
    node.set_parameters([Parameter("use_sim_time", value=False)])
    assert node.get_clock().now().nanoseconds > 10**18
    until(lambda: len(called) > 2)
    node.set_parameters([Parameter("use_sim_time", value=True)])
    until(lambda: clock.get_subscription_count() == 1)
    tell(500)
    assert not node.set_parameters([Parameter("use_sim_time", value="yes")])[0].successful


def test_a_rate_sleeps_until_the_next_call(make: Make, spin: Spin) -> None:
    node = make()
    spin(node, executor=MultiThreadedExecutor(2))
    rate = node.create_rate(100.0, Clock(clock_type=ClockType.STEADY_TIME))
    for _ in range(5):
        rate.sleep()
    node.destroy_rate(rate)
    with pytest.raises(RuntimeError, match="destroyed"):
        rate.sleep()
    with pytest.raises(ValueError, match="> 0"):
        node.create_rate(0.0)


def test_shutdown_ends_a_rates_sleep(make: Make, spin: Spin) -> None:
    node = make()
    spin(node)
    rate, ended, begun = node.create_rate(0.001), list[BaseException](), threading.Event()

    def sleep() -> None:
        begun.set()
        try:
            rate.sleep()
        except ROSInterruptException as error:
            ended.append(error)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    assert begun.wait(PATIENCE_S)
    rclpy.shutdown()
    thread.join(PATIENCE_S)
    assert len(ended) == 1

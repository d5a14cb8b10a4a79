"""Clocks: the system's, a steady one, and ROS's, which can follow /clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.exceptions import NotInitializedException
from rclpy.time import Time

if TYPE_CHECKING:
    from rclpy.context import Context

__all__ = [
    "Clock",
    "ClockChange",
    "ClockType",
    "JumpHandle",
    "JumpThreshold",
    "ROSClock",
    "TimeJump",
]
POLL_S = 0.1  # how often a sleeper looks whether there was a shutdown


class ClockChange(IntEnum):
    ROS_TIME_NO_CHANGE = 1
    ROS_TIME_ACTIVATED = 2
    ROS_TIME_DEACTIVATED = 3
    SYSTEM_TIME_NO_CHANGE = 4


class JumpThreshold:
    def __init__(
        self,
        *,
        min_forward: Duration | None,
        min_backward: Duration | None,
        on_clock_change: bool = True,
    ) -> None:
        if min_forward is not None and min_forward.nanoseconds <= 0:
            raise ValueError("min_forward must be a positive non-zero duration")
        if min_backward is not None and min_backward.nanoseconds >= 0:
            raise ValueError("min_backward must be a negative non-zero duration")
        if min_forward is None and min_backward is None and not on_clock_change:
            raise ValueError("At least one jump threshold must be enabled")
        self.min_forward, self.min_backward = min_forward, min_backward
        self.on_clock_change = on_clock_change

    def passed(self, jump: TimeJump) -> bool:
        moved, changed = jump.delta.nanoseconds, jump.clock_change
        if changed in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            return self.on_clock_change
        forward = self.min_forward is not None and moved >= self.min_forward.nanoseconds
        backward = self.min_backward is not None and moved <= self.min_backward.nanoseconds
        return forward or backward


@dataclass(frozen=True)
class TimeJump:
    clock_change: ClockChange
    delta: Duration


@dataclass(eq=False)
class JumpHandle:
    clock: Clock
    threshold: JumpThreshold
    pre_callback: Callable[[], Any] | None
    post_callback: Callable[[TimeJump], Any] | None

    def unregister(self) -> None:
        if self in self.clock._jumps:
            self.clock._jumps.remove(self)


class Clock:
    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> Clock:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        return super().__new__(ROSClock if clock_type == ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self._clock_type = clock_type
        self._jumps: list[JumpHandle] = []

    @property
    def clock_type(self) -> ClockType:
        return self._clock_type

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def _now_ns(self) -> int:
        steady = self._clock_type == ClockType.STEADY_TIME
        return time.monotonic_ns() if steady else time.time_ns()

    def now(self) -> Time:
        return Time(nanoseconds=self._now_ns(), clock_type=self.clock_type)

    def create_jump_callback(
        self,
        threshold: JumpThreshold,
        *,
        pre_callback: Callable[[], Any] | None = None,
        post_callback: Callable[[TimeJump], Any] | None = None,
    ) -> JumpHandle:
        if pre_callback is None and post_callback is None:
            raise ValueError("One of pre_callback or post_callback must be callable")
        handle = JumpHandle(self, threshold, pre_callback, post_callback)
        self._jumps.append(handle)
        return handle

    def sleep_until(self, until: Time, context: Context | None = None) -> bool:
        """Whether it was slept to the end; not if there was a shutdown, or another clock."""
        from rclpy.utilities import get_default_context

        context = context or get_default_context()
        if not context.ok():
            raise NotInitializedException
        if until.clock_type != self._clock_type:
            raise ValueError("until's clock type does not match this clock's type")
        while context.ok():
            left = until.nanoseconds - self._now_ns()
            if left <= 0:
                return True
            if not self._sleep(min(left / 1e9, POLL_S)):
                return False
        return False

    def sleep_for(self, rel_time: Duration, context: Context | None = None) -> bool:
        return self.sleep_until(self.now() + rel_time, context)

    def _sleep(self, seconds: float) -> bool:
        """Whether the clock is still the same kind of clock."""
        time.sleep(seconds)
        return True


class ROSClock(Clock):
    """The system's time, until a time source says that /clock tells it."""

    def __new__(cls) -> ROSClock:
        return object.__new__(cls)

    def __init__(self, *, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        super().__init__(clock_type=ClockType.ROS_TIME)
        self._active, self._told = False, 0
        self._changed = threading.Condition()

    @property
    def ros_time_is_active(self) -> bool:
        return self._active

    def _now_ns(self) -> int:
        return self._told if self._active else time.time_ns()

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        if enabled == self._active:
            return
        before = self._now_ns()
        change = ClockChange.ROS_TIME_ACTIVATED if enabled else ClockChange.ROS_TIME_DEACTIVATED

        def switch() -> None:
            self._active = enabled

        self._jump(switch, change, (self._told if enabled else time.time_ns()) - before)

    def set_ros_time_override(self, time_: Time) -> None:
        if time_.clock_type != ClockType.ROS_TIME:
            raise TypeError("Time must be of ROS_TIME type")
        told = time_.nanoseconds

        def move() -> None:
            self._told = told

        if self._active:
            self._jump(move, ClockChange.ROS_TIME_NO_CHANGE, told - self._told)
        else:
            move()

    def _jump(self, move: Callable[[], None], change: ClockChange, delta: int) -> None:
        jump = TimeJump(change, Duration(nanoseconds=delta))
        concerned = [one for one in self._jumps if one.threshold.passed(jump)]
        for one in concerned:
            if one.pre_callback is not None:
                one.pre_callback()
        with self._changed:
            move()
            self._changed.notify_all()
        for one in concerned:
            if one.post_callback is not None:
                one.post_callback(jump)

    def _sleep(self, seconds: float) -> bool:
        active = self._active
        with self._changed:
            self._changed.wait(POLL_S if active else seconds)
        return active == self._active

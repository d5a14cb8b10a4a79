"""Clocks: the system's, a steady one, and ROS's, which can follow /clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rosless.left_out import left_out

from rclpy.context import Context, get_default_context
from rclpy.exceptions import NotInitializedException
from rclpy.time import ClockType, Duration, Time

POLL_S = 0.1  # how often a sleeper looks whether there was a shutdown


class Clock:
    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> Clock:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        return super().__new__(ROSClock if clock_type == ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self.clock_type = clock_type
        self.on_jump: list[Callable[[], None]] = []  # back, or from one source of time to another

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def _now_ns(self) -> int:
        steady = self.clock_type == ClockType.STEADY_TIME
        return time.monotonic_ns() if steady else time.time_ns()

    def now(self) -> Time:
        return Time(nanoseconds=self._now_ns(), clock_type=self.clock_type)

    def sleep_until(self, until: Time, context: Context | None = None) -> bool:
        """Whether it was slept to the end; not if there was a shutdown, or another clock."""
        context = context or get_default_context()
        if not context.ok():
            raise NotInitializedException
        if until.clock_type != self.clock_type:
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
        self.ros_time_is_active, self._told = False, 0
        self._changed = threading.Condition()

    def _now_ns(self) -> int:
        return self._told if self.ros_time_is_active else time.time_ns()

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        if enabled != self.ros_time_is_active:
            self._change(enabled, self._told)

    def set_ros_time_override(self, time_: Time) -> None:
        if time_.clock_type != ClockType.ROS_TIME:
            raise TypeError("Time must be of ROS_TIME type")
        self._change(self.ros_time_is_active, time_.nanoseconds)

    def _change(self, active: bool, told: int) -> None:
        jumps = active != self.ros_time_is_active or (active and told < self._told)
        with self._changed:
            self.ros_time_is_active, self._told = active, told
            self._changed.notify_all()
        for call in list(self.on_jump) if jumps else ():
            call()

    def _sleep(self, seconds: float) -> bool:
        active = self.ros_time_is_active
        with self._changed:
            self._changed.wait(POLL_S if active else seconds)
        return active == self.ros_time_is_active


__getattr__ = left_out(__name__)

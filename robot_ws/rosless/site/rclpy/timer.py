"""Timers keep their phase: a late call does not make the next one late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, JumpThreshold, ROSClock, TimeJump
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.exceptions import InvalidHandle, ROSInterruptException
from rclpy.impl.entity import Entity

BACK = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
FAR = 1 << 62


class Timer(Entity):
    def __init__(
        self,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup,
        timer_period_ns: int,
        clock: Clock,
        *,
        wake: Callable[[], None],
        autostart: bool = True,
    ) -> None:
        if timer_period_ns < 0:
            raise ValueError(f"timer period: found {timer_period_ns} ns, wanted 0 or more")
        super().__init__(callback_group)
        self.callback, self.clock, self._wake = callback, clock, wake
        self._period = timer_period_ns
        self._last = clock._now_ns()
        self._next = self._last + timer_period_ns
        self._canceled = not autostart
        self._lock = threading.Lock()
        self._jump = clock.create_jump_callback(BACK, post_callback=self._jumped)

    @property
    def timer_period_ns(self) -> int:
        return self._period

    @timer_period_ns.setter
    def timer_period_ns(self, value: int) -> None:
        with self._lock:
            self._period = int(value)
            self._next = self._last + self._period
        self._wake()

    def wait_ns(self) -> int | None:
        if self._canceled:
            return None
        left = max(self._next - self.clock._now_ns(), 0)
        told = isinstance(self.clock, ROSClock) and self.clock.ros_time_is_active
        # Simulated time moves when it is told to, and whoever tells it wakes us.
        return FAR if told and left else left

    def is_ready(self) -> bool:
        return self.wait_ns() == 0

    def is_canceled(self) -> bool:
        return self._canceled

    def cancel(self) -> None:
        self._canceled = True

    def reset(self) -> None:
        with self._lock:
            self._last = self.clock._now_ns()
            self._next, self._canceled = self._last + self._period, False
        self._wake()

    def time_since_last_call(self) -> int:
        return self.clock._now_ns() - self._last

    def time_until_next_call(self) -> int | None:
        return None if self._canceled else self._next - self.clock._now_ns()

    def take(self) -> Callable[[], Any] | None:
        with self._lock:
            now = self.clock._now_ns()
            if self._canceled or now < self._next:
                return None
            self._last = now
            self._next += self._period
            if self._next < now:  # calls that were missed are missed
                if self._period:
                    self._next += self._period * (1 + (now - self._next) // self._period)
                else:
                    self._next = now
        return self.callback

    def _jumped(self, jump: TimeJump) -> None:
        """What was to come is a whole period away again."""
        with self._lock:
            self._last = self.clock._now_ns()
            self._next = self._last + self._period
        self._wake()

    def destroy(self) -> None:
        self.alive = False
        self._jump.unregister()


class Rate:
    """Sleeps until its timer's next call, in another thread than the one that spins."""

    def __init__(self, timer: Timer, *, context: Context) -> None:
        self._timer, self._context = timer, context
        self._called = threading.Condition()
        self._count = 0
        self._destroyed = False
        timer.callback = self._tick
        context.on_shutdown(self._tick)

    def _tick(self) -> None:
        with self._called:
            self._count += 1
            self._called.notify_all()

    def sleep(self) -> None:
        with self._called:
            if self._destroyed:
                raise InvalidHandle("the rate was destroyed")
            if not self._context.ok():
                raise ROSInterruptException
            if self._timer.is_canceled():
                raise InvalidHandle("the rate's timer was cancelled")
            seen = self._count
            self._called.wait_for(lambda: self._count != seen)
            if self._destroyed or not self._context.ok():
                raise ROSInterruptException

    def destroy(self) -> None:
        self._destroyed = True
        self._tick()

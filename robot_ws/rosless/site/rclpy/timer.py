"""What is called without anything from the wire: timers, rates, and what a program triggers.

Timers keep their phase: a late call does not make the next one late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.exceptions import ROSInterruptException
from rclpy.impl.entity import Entity
from rclpy.time import NANO

if TYPE_CHECKING:
    from rclpy.node import Node

FAR = 1 << 62


class Timer(Entity):
    def __init__(
        self,
        node: Node,
        timer_period_sec: float,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> None:
        if timer_period_sec < 0:
            raise ValueError(f"timer period: found {timer_period_sec} s, wanted 0 or more")
        super().__init__(node, callback_group)
        self.callback, self.clock, self._wake = callback, clock or node.get_clock(), node._ros_wake
        self._period, self._canceled = int(timer_period_sec * NANO), not autostart
        self._lock = threading.Lock()
        self._begin()
        self.clock.on_jump.append(self._begin)

    def _begin(self) -> None:
        """What is to come is a whole period away."""
        with self._lock:
            self._last = self.clock._now_ns()
            self._next = self._last + self._period
        self._wake()

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
        self._canceled = False
        self._begin()

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
                period, late = self._period, now - self._next
                self._next = self._next + period * (1 + late // period) if period else now
        return self.callback

    def destroy(self) -> None:
        super().destroy()
        if self._begin in self.clock.on_jump:
            self.clock.on_jump.remove(self._begin)


class Rate:
    """Sleeps until its timer's next call, in another thread than the one that spins."""

    def __init__(self, timer: Timer, *, context: Context) -> None:
        self._timer, self._context = timer, context
        self._called = threading.Condition()
        self._count = 0
        timer.callback = self._tick
        context.on_shutdown(self._tick)

    def _tick(self) -> None:
        with self._called:
            self._count += 1
            self._called.notify_all()

    def sleep(self) -> None:
        with self._called:
            if not self._context.ok():
                raise ROSInterruptException
            if not self._timer.alive or self._timer.is_canceled():
                raise RuntimeError("the rate was destroyed, or its timer cancelled")
            seen = self._count
            self._called.wait_for(lambda: self._count != seen)
            if not (self._timer.alive and self._context.ok()):
                raise ROSInterruptException

    def destroy(self) -> None:
        self._timer.destroy()
        self._tick()


class GuardCondition(Entity):
    """Something that a program says has happened."""

    def __init__(
        self,
        node: Node,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        super().__init__(node, callback_group)
        self.callback, self._wake, self._triggered = callback, node._ros_wake, False

    def trigger(self) -> None:
        self._triggered = True
        self._wake()

    def wait_ns(self) -> int | None:
        return 0 if self._triggered else None

    def take(self) -> Callable[[], Any] | None:
        self._triggered = False
        return self.callback

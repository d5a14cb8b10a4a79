"""A point in time of a clock's kind."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, overload

from builtin_interfaces.msg import Time as TimeMsg

from rclpy.clock_type import ClockType
from rclpy.duration import LARGEST, NANO, Duration


class Time:
    def __init__(
        self,
        *,
        seconds: float = 0,
        nanoseconds: int = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        if seconds < 0 or nanoseconds < 0:
            raise ValueError("Seconds and nanoseconds must not be negative")
        total = int(seconds * NANO) + int(nanoseconds)
        if total > LARGEST:
            raise OverflowError(f"Time: found {total} ns, wanted what 64 bits hold")
        self._nanoseconds, self._clock_type = total, clock_type

    @property
    def nanoseconds(self) -> int:
        return self._nanoseconds

    @property
    def clock_type(self) -> ClockType:
        return self._clock_type

    def seconds_nanoseconds(self) -> tuple[int, int]:
        return divmod(self.nanoseconds, NANO)

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})"

    def __add__(self, other: Duration) -> Time:
        if isinstance(other, Duration):
            return Time(
                nanoseconds=self.nanoseconds + other.nanoseconds, clock_type=self.clock_type
            )
        return NotImplemented

    __radd__ = __add__

    @overload
    def __sub__(self, other: Time) -> Duration: ...
    @overload
    def __sub__(self, other: Duration) -> Time: ...
    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Time):
            self._require_alike(other, "subtract")
            return Duration(nanoseconds=self.nanoseconds - other.nanoseconds)
        if isinstance(other, Duration):
            return Time(
                nanoseconds=self.nanoseconds - other.nanoseconds, clock_type=self.clock_type
            )
        return NotImplemented

    def _require_alike(self, other: Time, verb: str) -> None:
        if self.clock_type != other.clock_type:
            raise TypeError(
                f"Can't {verb} times with different clock types: {self.clock_type.name} and "
                f"{other.clock_type.name}"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._require_alike(other, "compare")
        return self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Time) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Time) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Time) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Time) -> bool:
        return self._compared(other, operator.ge)

    def _compared(self, other: Time, how: Callable[[int, int], bool]) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._require_alike(other, "compare")
        return how(self.nanoseconds, other.nanoseconds)

    def __hash__(self) -> int:
        return hash((self._nanoseconds, self._clock_type))

    def to_msg(self) -> TimeMsg:
        seconds, nanoseconds = self.seconds_nanoseconds()
        return TimeMsg(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: TimeMsg, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        if not isinstance(msg, TimeMsg):
            raise TypeError(f"found {msg!r}, wanted a builtin_interfaces.msg.Time")
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec, clock_type=clock_type)

"""Points in time of a clock's kind, and spans between them, in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import total_ordering
from typing import Any, overload

from builtin_interfaces.msg import Duration as DurationMsg
from builtin_interfaces.msg import Time as TimeMsg

NANO = 1_000_000_000
LARGEST = (1 << 63) - 1


class ClockType(IntEnum):
    UNINITIALIZED = 0
    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3


@dataclass(order=True, unsafe_hash=True, init=False)
class Duration:
    nanoseconds: int

    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        self.nanoseconds = int(seconds * NANO) + int(nanoseconds)
        if not -LARGEST - 1 <= self.nanoseconds <= LARGEST:
            raise OverflowError(f"Duration: found {self.nanoseconds} ns, wanted what 64 bits hold")

    def __str__(self) -> str:
        return "Infinite" if self.nanoseconds == LARGEST else f"{self.nanoseconds} nanoseconds"

    def to_msg(self) -> DurationMsg:
        seconds, nanoseconds = divmod(self.nanoseconds, NANO)
        return DurationMsg(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: DurationMsg) -> Duration:
        if not isinstance(msg, DurationMsg):
            raise TypeError(f"found {msg!r}, wanted a builtin_interfaces.msg.Duration")
        return cls(nanoseconds=msg.sec * NANO + msg.nanosec)


Infinite = Duration(nanoseconds=LARGEST)


@total_ordering
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
        self.nanoseconds, self.clock_type = int(seconds * NANO) + int(nanoseconds), clock_type
        if self.nanoseconds > LARGEST:
            raise OverflowError(f"Time: found {self.nanoseconds} ns, wanted what 64 bits hold")

    def seconds_nanoseconds(self) -> tuple[int, int]:
        return divmod(self.nanoseconds, NANO)

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})"

    def _moved(self, nanoseconds: int) -> Time:
        return Time(nanoseconds=self.nanoseconds + nanoseconds, clock_type=self.clock_type)

    def __add__(self, other: Duration) -> Time:
        return self._moved(other.nanoseconds) if isinstance(other, Duration) else NotImplemented

    __radd__ = __add__

    @overload
    def __sub__(self, other: Time) -> Duration: ...
    @overload
    def __sub__(self, other: Duration) -> Time: ...
    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Time):
            self._require_alike(other)
            return Duration(nanoseconds=self.nanoseconds - other.nanoseconds)
        return self._moved(-other.nanoseconds) if isinstance(other, Duration) else NotImplemented

    def _require_alike(self, other: Time) -> None:
        if self.clock_type != other.clock_type:
            raise TypeError(
                "Can't compare or subtract times with different clock types: "
                f"{self.clock_type.name} and {other.clock_type.name}"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._require_alike(other)
        return self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._require_alike(other)
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash((self.nanoseconds, self.clock_type))

    def to_msg(self) -> TimeMsg:
        seconds, nanoseconds = self.seconds_nanoseconds()
        return TimeMsg(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: TimeMsg, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        if not isinstance(msg, TimeMsg):
            raise TypeError(f"found {msg!r}, wanted a builtin_interfaces.msg.Time")
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec, clock_type=clock_type)

"""A span of time, in nanoseconds."""

from __future__ import annotations

from functools import total_ordering

from builtin_interfaces.msg import Duration as DurationMsg

NANO = 1_000_000_000
LARGEST = (1 << 63) - 1


@total_ordering
class Duration:
    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        total = int(seconds * NANO) + int(nanoseconds)
        if not -LARGEST - 1 <= total <= LARGEST:
            raise OverflowError(f"Duration: found {total} ns, wanted what 64 bits hold")
        self._nanoseconds = total

    @property
    def nanoseconds(self) -> int:
        return self._nanoseconds

    def __repr__(self) -> str:
        return f"Duration(nanoseconds={self.nanoseconds})"

    def __str__(self) -> str:
        if self.nanoseconds == LARGEST:
            return "Infinite"
        return f"{self.nanoseconds} nanoseconds"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Duration) -> bool:
        if isinstance(other, Duration):
            return self.nanoseconds < other.nanoseconds
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._nanoseconds)

    def to_msg(self) -> DurationMsg:
        seconds, nanoseconds = divmod(self.nanoseconds, NANO)
        return DurationMsg(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: DurationMsg) -> Duration:
        if not isinstance(msg, DurationMsg):
            raise TypeError(f"found {msg!r}, wanted a builtin_interfaces.msg.Duration")
        return cls(nanoseconds=msg.sec * NANO + msg.nanosec)


Infinite = Duration(nanoseconds=LARGEST)

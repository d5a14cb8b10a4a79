"""Which commands a robot's driver takes. Nothing of ROS is in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from policy.contract import Invalid

EARLY_S = 0.05  # clocks of two machines may differ by as much
UNIT = 0.01  # how far from 1 a quaternion's length may be


class Customs:
    """Refuses what is in another frame, too old, or no number, and counts it by reason."""

    def __init__(self, frame: str, oldest_s: float) -> None:
        self._frame, self._oldest = frame, oldest_s
        self.refused: Counter[str] = Counter()

    def check(
        self, frame: str, sent_ns: int, now_ns: int, values: Sequence[float],
        unit: slice | None = None,
    ) -> None:  # fmt: skip
        """`unit`: which of the values are a quaternion."""
        if frame != self._frame:
            self._refuse("frame_id", frame, f"'{self._frame}'", "command in the arm's base frame")
        age = (now_ns - sent_ns) * 1e-9
        if not -EARLY_S <= age <= self._oldest:
            wanted = f"at most {self._oldest} s ago by the twin's clock"
            self._refuse("stamp", f"{age:.3f} s ago", wanted, "stamp each command when it is sent")
        if not all(map(math.isfinite, values)):
            self._refuse("value", tuple(values), "finite numbers", "correct the command")
        if unit is not None and abs(math.hypot(*values[unit]) - 1) > UNIT:
            found = tuple(values[unit])
            self._refuse("orientation", found, "a unit quaternion x, y, z, w", "normalise it")

    def _refuse(self, field: str, found: object, wanted: str, remedy: str) -> None:
        self.refused[field] += 1
        raise Invalid(field, found, wanted, remedy)

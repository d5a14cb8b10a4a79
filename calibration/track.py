"""Where the TCP was when: poses between those that the arm told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .geometry import rotation
from .rigid import Array, turn_of, turned


class Track:
    def __init__(
        self, stamps_ns: Sequence[int], positions: npt.ArrayLike, orientations: npt.ArrayLike
    ) -> None:
        """Orientations are quaternions x, y, z, w."""
        self._stamps = np.asarray(stamps_ns, np.int64)
        self._positions = np.asarray(positions, float)
        self._turns = [rotation(q) for q in np.asarray(orientations, float)]
        if len(self._stamps) < 2 or (np.diff(self._stamps) <= 0).any():
            wanted = "two or more, in the order of time"
            raise Invalid("stamps_ns", f"{len(self._stamps)} stamps", wanted, "record for longer")

    def covers(self, stamp_ns: int) -> bool:
        return bool(self._stamps[0] <= stamp_ns <= self._stamps[-1])

    def at(self, stamp_ns: int) -> tuple[Array, Array]:
        """Position and rotation matrix then."""
        if not self.covers(stamp_ns):
            wanted = f"{self._stamps[0]} to {self._stamps[-1]} ns"
            raise Invalid(
                "stamp_ns", stamp_ns, wanted, "use what was exposed while it was recorded"
            )
        after = max(int(np.searchsorted(self._stamps, stamp_ns)), 1)
        before = after - 1
        way = self._stamps[after] - self._stamps[before]
        share = float((stamp_ns - self._stamps[before]) / way)
        place: Array = self._positions[before] * (1 - share) + self._positions[after] * share
        start = self._turns[before]
        return place, start @ turned(share * turn_of(start.T @ self._turns[after]))

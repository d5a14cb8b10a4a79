"""Whether a camera has moved since it was calibrated, and how far.

One registration is off by what happens to lie in the bin; many are not. The watch compares the
median of the last ones with that of those it began with, so that what the bin and its light do to
all of them alike is no drift.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from policy.contract import Invalid

from .registration import Array, Registration
from .rigid import Displacement

LATER = 2 / 3  # of the threshold: a camera that moved by all of it is to be noticed
CALM = 0.5  # of that, below which the warning is withdrawn
SURE = 3.0  # standard deviations
ALIKE = 4.0  # neighbouring frames show the same things: of so many one counts


@dataclass(frozen=True)
class Drift(Displacement):
    """As a registration's. `ready` once there is enough to compare; `moved` is the warning."""

    ready: bool
    moved: bool

    def __str__(self) -> str:
        return f"{1e3 * self.distance:.1f} mm, {math.degrees(self.angle):.2f} degrees"


class DriftWatch:
    """`reference`: shift and turn (6) as `reference` of a watch that began right after calibration;
    None: begin now, with the next `memory` registrations."""

    def __init__(
        self, shift: float = 0.003, turn: float = math.radians(0.5), memory: int = 40,
        reference: Array | None = None,
    ) -> None:  # fmt: skip
        if min(shift, turn) <= 0 or memory < 5:
            found, wanted = (shift, turn, memory), "a shift, a turn and 5 or more registrations"
            raise Invalid("threshold", found, wanted, "0.003 m, 0.0087 rad and 40 serve")
        self.reference = reference
        self._limits = np.array([shift, turn]) * LATER
        self._memory, self._last = memory, deque[Array](maxlen=memory)
        self._moved = False

    def see(self, seen: Registration) -> Drift:
        self._last.append(np.concatenate([seen.shift, seen.turn]))
        if len(self._last) < self._memory:
            return Drift(np.zeros(3), np.zeros(3), False, False)
        now = np.median(self._last, axis=0)
        if self.reference is None:
            self.reference = now
            self._last.clear()
            return Drift(np.zeros(3), np.zeros(3), False, False)
        away = now - self.reference
        size = np.array([np.linalg.norm(away[:3]), np.linalg.norm(away[3:])])
        if self._moved:
            self._moved = bool((size > CALM * self._limits).any())
        else:
            self._moved = bool(((size > self._limits) & (size > SURE * self._doubt(away))).any())
        return Drift(away[:3], away[3:], True, self._moved)

    def _doubt(self, away: Array) -> Array:
        """Of the medians of then and now, along the shift and about the turn: a deviation each."""
        seen = np.array(self._last)
        off = 1.4826 * np.median(np.abs(seen - np.median(seen, axis=0)), axis=0)
        mean = 1.2533 * off * math.sqrt(2 * ALIKE / len(self._last))
        parts = (slice(0, 3), slice(3, 6))
        sizes = [max(float(np.linalg.norm(away[p])), 1e-12) for p in parts]
        along = [np.linalg.norm(mean[p] * away[p]) for p in parts]
        return np.array(along) / sizes

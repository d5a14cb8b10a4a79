"""Whether a camera has moved since it was calibrated, and how far.

One registration is off by what happens to lie in the bin; many are not. The watch compares the
median of the last ones with that of those it began with, so that what the bin and its light do to
all of them alike is no drift. A look that saw no wall knows nothing of a shift along the floor, and
says what the cell file does: each counts by how much it knows.
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
ENOUGH = 0.25  # of the threshold: who knows a place better counts no more for that
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
        self._enough = np.repeat([ENOUGH * shift, ENOUGH * turn], 3)
        self._memory = memory
        self._last, self._variance = deque[Array](maxlen=memory), deque[Array](maxlen=memory)
        self._moved = False

    def see(self, seen: Registration) -> Drift:
        self._last.append(np.concatenate([seen.shift, seen.turn]))
        self._variance.append(np.diag(seen.covariance))
        if len(self._last) < self._memory:
            return Drift(np.zeros(3), np.zeros(3), False, False)
        places, weights = np.array(self._last), 1 / (np.array(self._variance) + self._enough**2)
        now = middle(places, weights)
        if self.reference is None:
            self.reference = now
            self._last.clear()
            self._variance.clear()
            return Drift(np.zeros(3), np.zeros(3), False, False)
        away = now - self.reference
        size = np.array([np.linalg.norm(away[:3]), np.linalg.norm(away[3:])])
        if self._moved:
            self._moved = bool((size > CALM * self._limits).any())
        else:
            self._moved = bool(
                ((size > self._limits) & (size > SURE * self._doubt(away, weights))).any()
            )
        return Drift(away[:3], away[3:], True, self._moved)

    def _doubt(self, away: Array, weights: Array) -> Array:
        """Of the medians of then and now, along the shift and about the turn: a deviation each. At
        least what the looks say themselves: where none knows anything, they all agree."""
        seen = np.array(self._last)
        off = 1.4826 * middle(np.abs(seen - middle(seen, weights)), weights)
        count = weights.sum(axis=0) ** 2 / (weights**2).sum(axis=0)
        told = np.sqrt(1 / (1 / np.array(self._variance)).sum(axis=0))
        mean = np.maximum(1.2533 * off, told * np.sqrt(count)) * np.sqrt(2 * ALIKE / count)
        parts = (slice(0, 3), slice(3, 6))
        sizes = [max(float(np.linalg.norm(away[p])), 1e-12) for p in parts]
        along = [np.linalg.norm(mean[p] * away[p]) for p in parts]
        return np.array(along) / sizes


def middle(values: Array, weights: Array) -> Array:
    """Each column's (N, K) weighted median."""
    order = np.argsort(values, axis=0)
    ranked, heavy = (np.take_along_axis(one, order, axis=0) for one in (values, weights))
    share = np.cumsum(heavy, axis=0) / heavy.sum(axis=0)
    found: Array = ranked[(share >= 0.5).argmax(axis=0), np.arange(values.shape[1])]
    return found

"""Makes the cell ready for the next episode: open, clear of the bin, things within reach.

What it does it checks: fingers by their width, a stirred bin by the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from policy.experience.episode import Verdict, success

from .routine import OPEN, Frames, Places

ATTEMPTS = 3
STIR_AFTER = 5  # failures in a row
Array = npt.NDArray[np.float64]
LOW = 0.03  # m above the floor; where closed fingers push things about
GENTLY = 0.1  # m/s
INWARD = 0.9, 0.3  # shares of the bin's half width, between which things are pushed to the middle


class Reaching(Protocol):
    def move(self, pose: Array, aperture: float | None = None) -> None: ...
    def push(self, pose: Array, speed: float) -> None: ...
    def pose(self) -> Array: ...
    def aperture(self) -> float: ...
    def pictures(self) -> Frames: ...
    def judge(self, before: Frames, after: Frames) -> Sequence[Verdict]: ...


class Resetting:
    """Each says what is wrong, if something is. `stirred` counts."""

    def __init__(self, reach: Reaching, places: Places, random: np.random.Generator) -> None:
        self._reach, self._places, self._random = reach, places, random
        self.stirred = 0

    def ready(self, stir: bool) -> tuple[str, int]:
        """Open, and stirred if that is wanted, in some attempts; how many it took."""
        problem = ""
        for attempt in range(1, ATTEMPTS + 1):
            problem = self.open() or (self.stir() if stir else "")
            if not problem:
                return "", attempt
        return problem, ATTEMPTS

    def open(self) -> str:
        """Above the bin, and the fingers apart."""
        reach, places = self._reach, self._places
        pose = reach.pose()
        if reach.aperture() > places.open - OPEN and pose[2] > places.high[2] - 0.01:
            return ""
        above = places.lifted(pose)
        reach.move(above, places.open)
        if reach.aperture() > places.open - OPEN:
            return ""
        reach.move(above, 0.0)  # what is stuck may come loose
        reach.move(above, places.open)
        width = reach.aperture()
        if width > places.open - OPEN:
            return ""
        return f"the fingers open to {1e3 * width:.0f} mm only: free them"

    def stir(self) -> str:
        """From the sides to the middle, with closed fingers; then the camera has to see it."""
        reach, places = self._reach, self._places
        reach.move(places.aside(), 0.0)
        before = reach.pictures()
        half, low = (places.high - places.low)[:2] / 2, places.floor[2] + LOW
        first = self._random.uniform(0, 2 * np.pi)
        for turn in first + np.arange(4) * np.pi / 2:
            way = np.array([np.cos(turn), np.sin(turn)])
            outer, inner = (places.floor[:2] + share * half * way for share in INWARD)
            reach.move(np.array([*outer, places.high[2], 0.0]))
            # What is under the fingers, or between them and a wall, ends the way, not the stirring.
            reach.push(np.array([*outer, low, 0.0]), GENTLY)
            reach.push(np.array([*inner, low, 0.0]), GENTLY)
            reach.move(places.lifted(reach.pose()))
        reach.move(places.aside(), places.open)
        self.stirred += 1
        # Who judges one thing that is dropped abstains where half of the bin looks new.
        same = success(reach.judge(before, reach.pictures())) is False
        return "stirring changed nothing in the bin: put things into it" if same else ""

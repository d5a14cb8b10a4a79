"""What a cell does in an episode, in order, as QT-Opt's did it: the drop is the reset.

    reset - approach - rollout - lift - picture - drop - picture - judge - store

The routine asks `Hands` for everything, so that it reads as what it is and can be tried without
ROS. Whatever stops the arm raises `Interrupted` out of the phase that it was in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.experience.episode import Verdict

from .recorder import Rollout

Array = npt.NDArray[np.float64]
Frames = Mapping[str, npt.NDArray[np.uint8]]
FINGERS = "fingers"  # who judges by the gripper's width alone
EMPTY, OPEN = 0.003, 0.002  # m from closed and from open: nothing is between them
SETTLE_S = 1.5  # before a picture: the arm stands, and what was dropped has rolled out
STAND_S = 0.3  # before an episode: longer than a picture may be old
DROP = 0.16  # m above the bin's floor: above the pile
ASIDE = 0.4  # of the bin's half width, that things are dropped around its middle
SWING = 0.25  # of the yaw that is allowed, at an episode's start


class Phase(IntEnum):
    """As in EpisodeState.msg."""

    IDLE = 0
    RESET = 1
    APPROACH = 2
    ROLLOUT = 3
    LIFT = 4
    PICTURE_BEFORE = 5
    DROP = 6
    PICTURE_AFTER = 7
    JUDGE = 8
    STORE = 9
    PAUSED = 10
    WAITING = 11


class Interrupted(Exception):
    """The guard, a person or a missing part stopped what was under way."""


class Hands(Protocol):
    def say(self, phase: Phase, detail: str = "") -> None: ...
    def reset(self, stir: bool) -> None: ...
    def move(self, pose: Array, aperture: float | None = None) -> None: ...
    def stand(self) -> None:
        """Until the arm has stood for longer than a picture may be old."""
        ...

    def rollout(self) -> Rollout:
        """Says so itself, once it can write it down."""
        ...

    def pose(self) -> Array: ...
    def aperture(self) -> float: ...
    def pictures(self) -> Frames: ...
    def judge(self, before: Frames, after: Frames, empty: bool = False) -> list[Verdict]: ...


@dataclass(frozen=True)
class Places:
    """Where the routine takes the tool: x, y, z, yaw."""

    low: Array
    high: Array
    floor: Array  # the middle of the bin's
    open: float

    @classmethod
    def of(cls, cell: Cell) -> Places:
        space = cell.workspace
        low = np.array([*space.low.value, space.yaw.value[0]])
        high = np.array([*space.high.value, space.yaw.value[1]])
        return cls(low, high, np.array(cell.bin.centre.value), cell.gripper.aperture.value[1])

    def start(self, random: np.random.Generator) -> Array:
        """Above the bin, not always the same; as in training."""
        middle, half = (self.low + self.high)[:2] / 2, (self.high - self.low)[:2] / 2
        spot = middle + 0.4 * half * random.uniform(-1, 1, 2)
        yaw = SWING * random.uniform(self.low[3], self.high[3])
        return np.array([*spot, self.high[2], yaw])

    def lifted(self, pose: Array) -> Array:
        """Straight up; from a little outside, too, where an arm's own inaccuracy may leave it."""
        above = np.array([*pose[:2], self.high[2], pose[3]])
        inside: Array = np.clip(above, self.low, self.high)
        return inside

    def aside(self) -> Array:
        """Out of the camera's view of the bin: near the arm's base, high, away from the camera."""
        return np.array([self.low[0], self.high[1], self.high[2], 0.0])

    def drop(self, random: np.random.Generator) -> Array:
        half = (self.high - self.low)[:2] / 2
        spot = self.floor[:2] + ASIDE * half * random.uniform(-1, 1, 2)
        return np.array([*spot, self.floor[2] + DROP, 0.0])


class Routine:
    def __init__(self, hands: Hands, places: Places, random: np.random.Generator) -> None:
        self._hands, self._places, self._random = hands, places, random

    def grasp(self, stir: bool = False) -> Rollout:
        """Up to the end of what the policy does."""
        hands, places = self._hands, self._places
        hands.say(Phase.RESET)
        hands.reset(stir)
        hands.say(Phase.APPROACH)
        hands.move(places.start(self._random), places.open)
        hands.stand()  # as in training; and so the first picture and the pose belong together
        return hands.rollout()

    def judge(self) -> list[Verdict]:
        """Whether it holds something; and whatever that is goes back into the bin."""
        hands, places = self._hands, self._places
        hands.say(Phase.LIFT)
        hands.move(places.lifted(hands.pose()))
        width = hands.aperture()
        if width < EMPTY or width > places.open - OPEN:
            hands.say(Phase.DROP)
            hands.move(places.lifted(hands.pose()), places.open)
            reason = f"the fingers are {1e3 * width:.0f} mm apart: nothing is between them"
            return [Verdict(FINGERS, False, 0.99, reason=reason)]
        spot = self._step_aside()
        hands.say(Phase.PICTURE_BEFORE)
        before = hands.pictures()
        hands.say(Phase.DROP)
        self._drop(spot)
        hands.say(Phase.PICTURE_AFTER)
        after = hands.pictures()
        hands.say(Phase.JUDGE)
        return hands.judge(before, after)

    def learn_noise(self, cycles: int) -> None:
        """Cycles in which nothing is dropped: what two pictures differ by even so."""
        hands, places = self._hands, self._places
        for k in range(cycles):
            hands.say(Phase.RESET, f"empty cycle {k + 1} of {cycles}: what pictures differ by")
            hands.move(places.lifted(hands.pose()), 0.0)
            spot = self._step_aside()
            before = hands.pictures()
            self._drop(spot)
            hands.judge(before, hands.pictures(), empty=True)

    def _step_aside(self) -> Array:
        """By way of where the drop will be, so that the arm stands, and throws its shadow, as it
        will after that; returns where."""
        spot = self._places.drop(self._random)
        self._hands.move(self._places.lifted(spot))
        self._hands.move(self._places.aside())
        return spot

    def _drop(self, spot: Array) -> None:
        hands, places = self._hands, self._places
        hands.move(places.lifted(spot))
        hands.move(spot, places.open)
        hands.move(places.lifted(spot))
        hands.move(places.aside(), 0.0)

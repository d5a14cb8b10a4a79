"""Where the tool ought to be, tick by tick: towards a goal, with bounded speed, acceleration and
jerk, whatever the goal does meanwhile.

A pose is x, y, z, yaw. Each tick wants the speed that arrives in time and can still be braked; the
wanted acceleration follows with bounded jerk. So a hand-over, a new action and a stop are all the
same thing: another goal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.contract import Invalid, Strict

Array = npt.NDArray[np.float64]
SHORTEST = 0.04  # s; what is left of the way is never to be done in less
RESPONSE = 0.01  # s; how fast the speed follows what it should be
REACHED = (5e-4, 2e-3)  # m, rad
HEADROOM = 0.9  # of the speed: jerk makes it swing a little beyond
BRAKING = 0.8  # of the deceleration that is allowed, to leave jerk some room


@dataclass(frozen=True)
class Motion(Strict):
    """Bounds of what the guard asks of an arm: translation, rotation about the vertical."""

    speed: float  # m/s
    turn_rate: float  # rad/s
    acceleration: float = 4.0  # m/s^2
    jerk: float = 150.0  # m/s^3
    turn_acceleration: float = 12.0  # rad/s^2
    turn_jerk: float = 500.0  # rad/s^3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise Invalid(name, value, "more than 0", "see the arm's data sheet")

    @classmethod
    def of(cls, cell: Cell) -> Motion:
        return cls(cell.arm.max_speed.value, cell.arm.max_turn_rate.value)


class Reference:
    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self.pose: Array = np.zeros(4)
        self.velocity: Array = np.zeros(4)
        self._pull: Array = np.zeros(4)
        self.goal: Array = np.zeros(4)
        self._left = 0.0  # s until the goal should be reached
        self._speed = math.inf

    def place(self, pose: Array) -> None:
        """Stand here, with no wish."""
        self.pose, self.goal = pose.copy(), pose.copy()
        self.velocity, self._pull = np.zeros(4), np.zeros(4)

    def go(self, goal: Array, seconds: float = 0.0, speed: float = math.inf) -> None:
        """Be there in so many seconds, or as soon as may be."""
        self.goal, self._left, self._speed = goal.copy(), seconds, speed

    def rest(self) -> None:
        """Stop as soon as may be."""
        self.go(self.pose + self._braking_way())

    @property
    def reached(self) -> bool:
        off, rest = np.abs(self.goal - self.pose), np.abs(self.velocity)
        near = off[:3].max() < REACHED[0] and off[3] < REACHED[1]
        return bool(near and rest[:3].max() < 0.01 and rest[3] < 0.05)

    def advance(self, dt: float, ramp: float = 1.0) -> None:
        """One tick; `ramp` is the share of the speed that is allowed just now."""
        motion, way = self._motion, self.goal - self.pose
        left = max(self._left, SHORTEST)
        self._left = max(self._left - dt, 0.0)
        top = min(HEADROOM * motion.speed, self._speed) * ramp
        wanted = np.zeros(4)
        wanted[:3] = _towards(way[:3], left, top, motion.acceleration)
        wanted[3:] = _towards(
            way[3:], left, HEADROOM * motion.turn_rate * ramp, motion.turn_acceleration
        )
        pull = (wanted - self.velocity) / max(RESPONSE, dt)
        pull[:3] = bounded(pull[:3], motion.acceleration)
        pull[3:] = bounded(pull[3:], motion.turn_acceleration)
        change = pull - self._pull
        change[:3] = bounded(change[:3], motion.jerk * dt)
        change[3:] = bounded(change[3:], motion.turn_jerk * dt)
        self._pull = self._pull + change
        velocity = self.velocity + self._pull * dt
        self.pose = self.pose + 0.5 * (self.velocity + velocity) * dt
        self.velocity = velocity

    def _braking_way(self) -> Array:
        motion, way = self._motion, np.zeros(4)
        for part, limit in (
            (slice(0, 3), motion.acceleration),
            (slice(3, 4), motion.turn_acceleration),
        ):
            speed = float(np.linalg.norm(self.velocity[part]))
            way[part] = self.velocity[part] * speed / (2 * BRAKING * limit)
        return way


def _towards(way: Array, left: float, top: float, acceleration: float) -> Array:
    """The velocity along `way`: in time, not too fast, and such that it can be braked."""
    far = float(np.linalg.norm(way))
    if far < 1e-9:
        return np.zeros_like(way)
    speed = min(far / left, top, math.sqrt(2 * BRAKING * acceleration * far))
    return way * (speed / far)


def bounded(vector: Array, most: float) -> Array:
    """No longer than `most`."""
    size = float(np.linalg.norm(vector))
    return vector if size <= most else vector * (most / size)

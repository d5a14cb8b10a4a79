"""From Cartesian wishes to joint setpoints, tick by tick, as a robot's own controller does it.

A wish is a velocity or a pose; speed and acceleration are bounded. What the arm cannot do is not
done: `advance` says why, and the setpoint stays where it was.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np
import numpy.typing as npt

from calibration.rigid import turned

from ..ik import Kinematics, rotation_error

Array = npt.NDArray[np.float64]
NEAR, NEAR_ANGLE = 2e-5, 2e-4  # m and rad: a goal is reached
ASTRAY = 0.02  # m between where the setpoint ought to be and where it is
LIMIT_MARGIN = 0.01  # rad
DAMPING = 5e-3
HOMEWARD = 0.5  # a second; a redundant joint's way home


class Follower:
    def __init__(
        self, kinematics: Kinematics, speeds: Array, limits: tuple[float, float],
        acceleration: tuple[float, float], singular: float, dt: float,
    ) -> None:  # fmt: skip
        """`limits` and `acceleration` of the TCP: translation, rotation."""
        self._kin, self._speeds, self._dt = kinematics, speeds * dt, dt
        self._limits, self._pull, self._singular = limits, acceleration, singular
        model, n = kinematics.model, kinematics.joints
        free = ~model.jnt_limited[:n].astype(bool)
        self._low = np.where(free, -np.inf, model.jnt_range[:n, 0] + LIMIT_MARGIN)
        self._high = np.where(free, np.inf, model.jnt_range[:n, 1] - LIMIT_MARGIN)
        self._jacobian = np.zeros((6, model.nv))
        self._site = model.site("tcp").id
        self.halt(kinematics.home)

    def halt(self, angles: Array) -> None:
        """Forget all wishes; stand at these joint angles."""
        self.angles = np.array(angles, float)
        self.position, self.turn = self._kin.pose(self.angles)
        self.goal: tuple[Array, Array] | None = None
        self.wish = np.zeros(6)
        self._velocity = np.zeros(6)
        self._cap = self._limits
        self._sigma = 1.0

    def follow(self, velocity: Array) -> None:
        """Linear and angular, in the base frame."""
        self.goal, self.wish = None, velocity

    def go(self, position: Array, turn: Array, seconds: float | None = None) -> None:
        """In a straight line; in `seconds` if speed and acceleration allow."""
        self.goal, self._cap = (position, turn), self._limits
        if seconds is not None:
            ways = (
                math.hypot(*(position - self.position)),
                math.hypot(*rotation_error(turn, self.turn)),
            )
            self._cap = (self._pace(ways[0], seconds, 0), self._pace(ways[1], seconds, 1))

    def _pace(self, way: float, seconds: float, kind: int) -> float:
        """The speed that gets there in time, counting what speeding up and braking take."""
        pull, limit = self._pull[kind], self._limits[kind]
        spare = (pull * seconds) ** 2 - 4 * pull * way
        wanted = (pull * seconds - math.sqrt(spare)) / 2 if spare > 0 else limit
        return min(limit, max(wanted, 1e-3))

    @property
    def still(self) -> bool:
        return self.goal is None and not self.wish.any() and not self._velocity.any()

    def advance(self, giving_way: Array) -> str | None:
        """One tick, with this velocity on top. None, or why the arm cannot go on."""
        if self.still and not giving_way.any():
            return None
        dt = self._dt
        self._speed_up(self._wanted())
        position = self.position + (self._velocity[:3] + giving_way) * dt
        turn = turned(self._velocity[3:] * dt) @ self.turn
        there, facing = self._kin.pose(self.angles)
        mujoco.mj_jacSite(
            self._kin.model, self._kin.data, self._jacobian[:3], self._jacobian[3:], self._site
        )
        jacobian = self._jacobian[:, : len(self.angles)]
        squares, axes = np.linalg.eigh(jacobian @ jacobian.T)
        sigma = math.sqrt(max(float(squares[0]), 0.0))
        if sigma < self._singular and sigma < self._sigma:
            return f"singular: the arm is stretched or folded ({sigma:.3f})"
        self._sigma = sigma
        error = np.concatenate([position - there, rotation_error(turn, facing)])
        inverse = jacobian.T @ (axes / (squares + DAMPING**2)) @ axes.T
        step = inverse @ error
        if len(step) > 6:
            homeward = HOMEWARD * dt * (self._kin.home - self.angles)
            step += homeward - inverse @ (jacobian @ homeward)
        share = float((np.abs(step) / self._speeds).max())
        if share > 1:  # slower, along the same path
            step /= share
            position = self.position + (position - self.position) / share
            turn = turned(self._velocity[3:] * dt / share) @ self.turn
        angles = self.angles + step
        out = ((angles < self._low) & (step < 0)) | ((angles > self._high) & (step > 0))
        if out.any():
            joint = int(np.flatnonzero(out)[0])
            return f"joint limit: joint {joint} at {angles[joint]:.3f} rad"
        if float(np.abs(error[:3]).max()) > ASTRAY:
            return f"unreachable: the arm is {np.abs(error[:3]).max():.3f} m off its path"
        self.angles, self.position, self.turn = angles, position, turn
        return None

    def _wanted(self) -> Array:
        if self.goal is None:
            return self.wish
        way = np.concatenate(
            [self.goal[0] - self.position, rotation_error(self.goal[1], self.turn)]
        )
        found = np.zeros(6)
        for kind, (part, near) in enumerate(((slice(0, 3), NEAR), (slice(3, 6), NEAR_ANGLE))):
            far = math.hypot(*way[part])
            if far > near:
                braking = math.sqrt(2 * 0.8 * self._pull[kind] * far)
                speed = min(self._cap[kind], braking, 0.5 * far / self._dt)
                found[part] = way[part] * (speed / far)
        if not found.any():
            self.position, self.turn = self.goal
            self.goal, self.wish = None, np.zeros(6)
            self._velocity[:] = 0.0
        return found

    def _speed_up(self, wanted: Array) -> None:
        for kind, part in enumerate((slice(0, 3), slice(3, 6))):
            change = wanted[part] - self._velocity[part]
            size, most = math.hypot(*change), self._pull[kind] * self._dt
            self._velocity[part] += change * (min(1.0, most / size) if size > 0 else 0.0)

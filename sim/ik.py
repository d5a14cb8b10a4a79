"""Inverse kinematics by damped least squares, on a model of the arm alone.

Measured against mink's quadratic program in benchmarks/ik.py: both reach every pose, this in half
the time. Limits are kept by clipping, which from a bent elbow loses nothing.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell

from .robot import build_arm, home

Array = npt.NDArray[np.float64]
POSITION, ANGLE = 1e-4, 1e-3  # m and rad: when a pose counts as reached
DAMPING = 1e-3
# How much of the way home a redundant joint goes each iteration, without moving the TCP.
HOMEWARD = 0.1


class Kinematics:
    """Joint angles for a pose of the TCP, and back."""

    def __init__(self, cell: Cell) -> None:
        self.model = build_arm(cell)
        self.data = mujoco.MjData(self.model)
        self.joints = cell.arm.joints
        self.home = home(cell)
        self._site = self.model.site("tcp").id
        self._low, self._high = self.model.jnt_range[: self.joints].T
        unlimited = ~self.model.jnt_limited[: self.joints].astype(bool)
        self._low = np.where(unlimited, -2 * np.pi, self._low)
        self._high = np.where(unlimited, 2 * np.pi, self._high)
        self._jacobian = np.zeros((6, self.model.nv))

    def pose(self, angles: Array) -> tuple[Array, Array]:
        """TCP position and rotation matrix."""
        self.data.qpos[: self.joints] = angles
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        position: Array = self.data.site_xpos[self._site]
        return position.copy(), self.data.site_xmat[self._site].reshape(3, 3).copy()

    def solve(
        self, position: Array, wanted: Array, start: Array, iterations: int = 40
    ) -> tuple[Array, bool]:
        """Angles near `start` that bring the TCP to `position`, turned as `wanted` (3, 3); and
        whether it got there."""
        angles = start.copy()
        eye = np.eye(self.joints)
        for _ in range(iterations):
            there, turn = self.pose(angles)
            error = np.concatenate([position - there, rotation_error(wanted, turn)])
            if np.abs(error[:3]).max() < POSITION and np.abs(error[3:]).max() < ANGLE:
                return angles, True
            mujoco.mj_jacSite(
                self.model, self.data, self._jacobian[:3], self._jacobian[3:], self._site
            )
            jacobian = self._jacobian[:, : self.joints]
            inverse = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T + DAMPING**2 * np.eye(6))
            step = inverse @ error
            if self.joints > 6:
                step += (eye - inverse @ jacobian) @ (HOMEWARD * (self.home - angles))
            # Far away the linear picture misleads: go there in moderate steps.
            step *= min(1.0, 0.5 / max(np.abs(step).max(), 1e-9))
            angles = np.clip(angles + step, self._low, self._high)
        return angles, False


def yaw_of(turn: Array) -> float:
    return float(np.arctan2(turn[1, 0], turn[0, 0]))


def rotation_error(wanted: Array, found: Array) -> Array:
    """The turn, as axis times angle in the base frame, that leads from found to wanted."""
    (a, b, c), (d, e, f), (g, h, i) = (wanted @ found.T).tolist()
    axis = (h - f, c - g, d - b)
    sine, cosine = math.hypot(*axis) / 2, (a + e + i - 1) / 2
    if sine < 1e-9:
        # No turn at all, or half a turn, whose axis the formula above cannot tell.
        return np.zeros(3) if cosine > 0 else np.array([0.0, 0.0, np.pi])
    error: Array = np.array(axis) * (math.atan2(sine, cosine) / (2 * sine))
    return error

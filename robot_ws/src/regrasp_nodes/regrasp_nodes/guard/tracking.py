"""Does the arm follow? What it reports is compared with where it was told to be a latency ago."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
REMEMBERED = 1.0  # s
FOLLOWS = 0.06  # s; that a drive lags behind its setpoint beyond the latency, as it speeds up
GAIN = 2.0  # 1/s; how fast a drift is taken back
MOST = np.array([0.05, 0.05, 0.05, 0.3])  # m/s and rad/s of it
SLOW = np.array([0.02, 0.02, 0.02, 0.1])  # what is told to go faster does move
FROZEN = 0.5  # s


class Tracking:
    def __init__(self, latency: float) -> None:
        self._latency_ns = round((latency + FOLLOWS) * 1e9)
        self._told: deque[tuple[int, Array]] = deque()

    def tell(self, now_ns: int, pose: Array) -> None:
        self._told.append((now_ns, pose))
        while now_ns - self._told[0][0] > REMEMBERED * 1e9:
            self._told.popleft()

    def forget(self) -> None:
        self._told.clear()

    def lag(self, stamp_ns: int, found: Array) -> Array:
        """How far the arm was from where it had been told to be."""
        due = stamp_ns - self._latency_ns
        expected = found
        for told_ns, pose in self._told:
            if told_ns > due:
                break
            expected = pose
        return expected - found

    def correction(self, stamp_ns: int, found: Array) -> Array:
        """The velocity that takes the difference back: streams of velocities drift."""
        return np.clip(GAIN * self.lag(stamp_ns, found), -MOST, MOST)


class Pulse:
    """Does the pose live? A driver that has lost its arm may tell the last one again and again,
    under new stamps; who goes on correcting by that drives the arm without end."""

    def __init__(self, latency: float) -> None:
        self._patience = latency + FROZEN
        self._pose: Array = np.zeros(0)
        self._moving = 0.0  # s, that it was told to move since the pose last changed

    def sense(self, pose: Array) -> None:
        if not np.array_equal(pose, self._pose):
            self._pose, self._moving = pose, 0.0

    def forget(self) -> None:
        self._moving = 0.0

    def tell(self, velocity: Array, dt: float) -> None:
        if (np.abs(velocity) > SLOW).any():
            self._moving += dt

    @property
    def stopped(self) -> bool:
        return self._moving > self._patience

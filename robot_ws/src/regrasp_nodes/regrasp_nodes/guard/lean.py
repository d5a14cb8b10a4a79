"""How far the tool leans from straight down: nothing at work, some tens of degrees to calibrate.

A lean is a turn's axis times its angle, about the base's x and y.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
RATE, PULL = 0.6, 2.0  # rad/s, rad/s^2: a calibration does not hurry
REACHED = 2e-3  # rad


class Lean:
    def __init__(self, most: float) -> None:
        """`most` is what may be asked for, rad."""
        self.most = most
        self.now: Array = np.zeros(2)
        self.rate: Array = np.zeros(2)
        self.goal: Array = np.zeros(2)

    def check(self, lean: Array) -> None:
        size = float(np.linalg.norm(lean))
        if not size <= self.most + 1e-9:
            wanted = f"{self.most:.2f} rad at most"
            remedy = "set the guard's parameter `lean`: to calibrate alone"
            raise Invalid("lean", round(size, 3), wanted, remedy)

    def place(self, lean: Array) -> None:
        """Stand so; but not farther than may be."""
        self.now, self.rate = lean.copy(), np.zeros(2)
        self.goal = lean * min(1.0, self.most / max(float(np.linalg.norm(lean)), 1e-9))

    def go(self, lean: Array) -> None:
        self.goal = lean.copy()

    def advance(self, dt: float, ramp: float) -> None:
        way = self.goal - self.now
        far = float(np.linalg.norm(way))
        top = min(RATE * ramp, math.sqrt(PULL * far), far / dt)
        change = way * (top / max(far, 1e-9)) - self.rate
        most = PULL * dt
        self.rate = self.rate + change * min(1.0, most / max(float(np.linalg.norm(change)), 1e-9))
        self.now = self.now + self.rate * dt

    @property
    def left_s(self) -> float:
        """How long it may take."""
        return float(np.linalg.norm(self.goal - self.now)) / RATE

    @property
    def reached(self) -> bool:
        return float(np.linalg.norm(self.goal - self.now)) < REACHED

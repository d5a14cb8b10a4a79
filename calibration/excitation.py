"""Motions that make a cell tell what it is: steps for dead time, sways for dynamics. All are
velocities in the base frame, to be sent through the guard, and end where they began."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# Hz, apart by no common multiple: each axis has its own three, so that all ways of moving, fast and
# slow, meet; each turns round at its own times.
SWAY = np.array([
    (0.31, 0.57, 1.03), (0.37, 0.71, 0.97), (0.29, 0.61, 1.09),
    (0.41, 0.67, 1.13), (0.43, 0.73, 1.01), (0.47, 0.79, 1.07),
])  # fmt: skip
NOWHERE = 1e-6  # m
RAMP = 0.5  # s: how gently a sway begins and ends


def steps(
    count: int, speed: float, span: float, dwell: tuple[float, float], random: np.random.Generator
) -> tuple[Array, Array]:
    """Times (s, from 0) and velocities (m/s along one axis) of `count` commands: forwards, still
    or backwards, each another than the one before, never farther than `span` (m) from the start;
    then back and still."""
    times, levels, place, now, last = [], [], 0.0, 0.0, 0.0
    for _ in range(count):
        stay = float(random.uniform(*dwell))
        inside = [v for v in (-speed, 0.0, speed) if v != last and abs(place + v * stay) <= span]
        last = float(random.choice(inside))
        times.append(now)
        levels.append(last)
        place, now = place + last * stay, now + stay
    if abs(place) > NOWHERE:
        stay = max(abs(place) / speed, dwell[0])
        times.append(now)
        levels.append(-place / stay)
        now += stay
    return np.array([*times, now]), np.array([*levels, 0.0])


def sway(seconds: float, period: float, reach: float, turn: float, phase: float = 0.0) -> Array:
    """A row a command: velocities (m/s) and turn rates (rad/s), every `period` s. No axis goes
    farther than `reach` (m) or `turn` (rad) to either side. Another `phase` is another motion: one
    to fit, one to hold out."""
    t = np.arange(round(seconds / period) + 1) * period
    angle = 2 * np.pi * SWAY[:, :, None] * t + phase * np.arange(1, 19).reshape(6, 3, 1)
    # Slow parts go farther, so that all are about as fast: quick ones are felt as inertia.
    share = 1 / SWAY / (1 / SWAY).sum(axis=1, keepdims=True)
    gentle = np.clip(np.minimum(t, t[-1] - t) / RAMP, 0, 1)
    place = (share[:, :, None] * np.sin(angle)).sum(axis=1) * (3 - 2 * gentle) * gentle**2
    place *= np.repeat((reach, turn), 3)[:, None]
    return np.asarray(np.gradient(place, period, axis=1).T, float)

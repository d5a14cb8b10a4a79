"""Dead time of an arm that follows a stream of velocities, apart from its controller's own lag.

`latency.py` wants steps that are far apart, and tells the jitter of each. Behind the guard there
are none: it commands a hundred smooth velocities a second, and the newest counts. Their mean dead
time comes out all the same, from where the arm was, and when.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.signal import lfilter

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
GRID = 0.001  # s
STARTS = (0.01, 0.04, 0.08, 0.15)  # s of dead time to begin from
LONGEST = 0.4  # s
LEAST = 0.02  # m of motion
WINDOW = 0.05  # s


@dataclass(frozen=True)
class Following:
    """Seconds; the error is one standard deviation of `dead`. `lag` is the controller's own mean
    delay, `gain` how far it went of how far it was told, `residual` what is left (m)."""

    dead: float
    error: float
    lag: float
    gain: float
    residual: float


def follows(sent: Array, velocities: Array, times: Array, positions: Array) -> Following:
    """Velocities (N, 3) in m/s, each in force from when it was `sent` (s) to the next; positions
    (M, 3) in m at `times`."""
    inside = (times > sent[0]) & (times < sent[-1])
    times, positions = times[inside], positions[inside]
    if len(times) < 200 or np.ptp(positions, axis=0).max() < LEAST:
        found = f"{len(times)} poses, {100 * np.ptp(positions, axis=0).max(initial=0):.1f} cm moved"
        wanted = f"200 poses or more, {100 * LEAST:g} cm"
        raise Invalid("tcp", found, wanted, "move farther, for longer")
    grid = np.arange(sent[0], times[-1] + GRID, GRID)
    held = velocities[np.searchsorted(sent, grid, side="right") - 1]
    told = np.cumsum(held, axis=0) * GRID
    window = max(round(WINDOW / float(np.median(np.diff(times)))), 1)

    def off(x: Array) -> Array:
        ahead = _lagged(told, float(np.exp(x[0])), float(x[1]))
        there = np.column_stack([np.interp(times - x[3], grid, line) for line in ahead.T])
        left = x[2] * there - positions
        # A velocity that comes late is held too long, and the place is off from then on: what is
        # compared is how far it went in a short while.
        return np.asarray((left[window:] - left[:-window]).ravel(), float)

    low, high = (np.log(1e-3), 0.0, 0.5, 0.0), (np.log(LONGEST), 1.0, 2.0, LONGEST)
    scale = (1.0, 1.0, 0.1, 0.01)
    fits = [
        least_squares(off, (np.log(0.03), 0.2, 1.0, start), bounds=(low, high), x_scale=scale)
        for start in STARTS
    ]
    found = min(fits, key=lambda fit: float(fit.cost))
    lag, _, gain, dead = (float(v) for v in found.x)
    residual = float(np.sqrt(np.mean(found.fun**2)))
    covariance = np.linalg.pinv(found.jac.T @ found.jac) * residual**2 * 2 * window
    return Following(dead, float(np.sqrt(covariance[3, 3])), float(np.exp(lag)), gain, residual)


def _lagged(signal: Array, mean: float, share: float) -> Array:
    """Through 1 / (1 + mean s + share (mean s)^2), from rest (bilinear)."""
    one, two = 2 * mean / GRID, share * (2 * mean / GRID) ** 2
    below = np.array([1 + one + two, 2 - 2 * two, 1 - one + two])
    started = signal - signal[0]
    return np.asarray(
        lfilter(np.array([1.0, 2.0, 1.0]) / below[0], below / below[0], started, axis=0), float
    )

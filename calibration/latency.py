"""Dead time between a command and its motion, apart from the follower's own lag.

What a command sets off arrives late for two reasons: the link's dead time, which is latency and
differs from command to command, and the controller's lag (a limited slope, then a response of first
or second order), which is not. Both are fitted: the lag once, the dead time of each command by
itself, so that its mean and its jitter come out. MuJoCo's own least squares does it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from mujoco import minimize

from policy.contract import Invalid

from .correlate import delay_of

Array = npt.NDArray[np.float64]
GRID = 0.002  # s, of the cross-correlation
LONGEST = 0.6  # s, of dead time and lag together
FEWEST = 12  # commands
FADED = 30.0  # mean lags, after which nothing is left of them
TIGHT = 1e-6  # between the bounds of what is known


@dataclass(frozen=True)
class Dead:
    """Seconds. The errors are one standard deviation of mean and jitter, as the cell file's
    residuals. `lag` is the follower's own mean delay, `slope` its limit, `gain` how far it went
    of how far it was told."""

    mean: float
    jitter: float
    mean_error: float
    jitter_error: float
    lag: float
    slope: float
    gain: float
    each: Array


@dataclass(frozen=True)
class Steps:
    """From `before` on, at each of `times` (s) another of `levels` was commanded: velocities of
    what is measured (`order` 1: an arm under twists), or what is measured itself (`order` 0: a
    gripper's width)."""

    times: Array
    levels: Array
    before: float
    order: int

    @property
    def changes(self) -> Array:
        found: Array = np.diff(np.concatenate([[self.before], self.levels]))
        return found

    def distinct(self) -> Steps:
        """Without what repeats the command before it."""
        new = self.changes != 0
        return replace(self, times=self.times[new], levels=self.levels[new])


def dead_time(
    steps: Steps, times: npt.ArrayLike, measured: npt.ArrayLike, slope: float | None = None
) -> Dead:
    """From steps that are farther apart than they take to arrive, and what was measured (m) at
    `times` (s). `slope`: how fast the controller lets what is commanded change, where that is
    known. A gripper's closing speed is found; an arm's acceleration must be given, for at the
    small steps of a careful test it cannot be told from dead time."""
    times, measured = np.asarray(times, float), np.asarray(measured, float)
    steps = steps.distinct()
    if len(steps.times) < FEWEST:
        wanted = f"{FEWEST} or more: the jitter is a spread over them"
        raise Invalid("steps", f"{len(steps.times)} commands", wanted, "command more of them")
    fit = _Fit(steps, times, measured, slope)
    common = fit.solve(fit.start())
    spread = np.concatenate([common[:4], np.full(len(steps.times), common[4])])
    found = fit.solve(spread)
    covariance, each = fit.covariance(found), found[4:]
    # What the lag may have taken from all of them alike moves their mean, not their spread.
    alike, count = float(covariance.mean()), len(each)
    noise = float(np.trace(covariance)) / count - alike
    variance = float(np.var(each, ddof=1))
    jitter = float(np.sqrt(max(variance - noise, 0.0)))
    lag, steepest, gain = float(np.exp(found[0])), float(np.exp(found[2])), float(found[3])
    return Dead(
        float(each.mean()), jitter, float(np.sqrt(alike + variance / count)),
        float(np.sqrt(variance / (2 * (count - 1)))), lag, steepest, gain, each,
    )  # fmt: skip


class _Fit:
    """Unknown: logarithm of the mean lag, share of its second pole, logarithm of the slope, gain,
    dead times. Where the motion began is taken out by the mean. A width has but one pole: its
    grain hides a second, which would be traded for dead time."""

    def __init__(self, steps: Steps, times: Array, measured: Array, slope: float | None) -> None:
        self._steps, self._times, self._changes = steps, times, steps.changes
        self._low = np.array([np.log(5e-4), 1e-3, -12.0, 0.2])
        self._high = np.array([np.log(LONGEST), 1.0, 12.0, 5.0])
        if steps.order == 0:
            self._high[1] = self._low[1] + TIGHT
        if slope is not None:
            self._low[2], self._high[2] = np.log(slope), np.log(slope) + TIGHT
        begun = steps.before * (times - times[0] if steps.order else 0.0)
        self._seen = _centred(measured - begun)

    def start(self) -> Array:
        """By cross-correlation: half of what delays is taken for dead time."""
        grid = np.arange(self._times[0], self._times[-1], GRID)
        steps = self._steps
        levels = np.concatenate([[steps.before], steps.levels])
        told = levels[np.searchsorted(steps.times, grid, side="right")]
        seen = np.interp(grid, self._times, self._seen)
        if steps.order:
            seen = np.gradient(seen, GRID)
        whole = delay_of(seen, told, GRID, LONGEST)
        slope = np.abs(self._changes).max() / max(0.2 * whole, GRID)
        return np.array([np.log(0.5 * whole + GRID), 0.1, np.log(slope), 1.0, 0.5 * whole])

    def solve(self, start: Array) -> Array:
        low, high = np.zeros(len(start)), np.full(len(start), LONGEST)
        low[:4], high[:4] = self._low, self._high
        found, _ = minimize.least_squares(
            start, lambda x: np.stack([self.residual(c) for c in x.T], axis=1),
            bounds=(low, high), jacobian=lambda x, _: self.jacobian(x[:, 0]),
            verbose=minimize.Verbosity.SILENT, max_iter=60, x_scale="jac",
        )  # fmt: skip
        return np.asarray(found, float)

    def covariance(self, x: Array) -> Array:
        """Of the dead times."""
        free = np.ones(len(x), bool)
        free[:4] = self._high - self._low > TIGHT
        jacobian, residual = self.jacobian(x)[:, free], self.residual(x)
        freedom = max(1, len(residual) - jacobian.shape[1])
        whole = np.linalg.inv(jacobian.T @ jacobian) * float(residual @ residual) / freedom
        late = len(x) - 4
        return np.asarray(whole[-late:, -late:], float)

    def residual(self, x: Array) -> Array:
        responses = self._responses(x[:4], x[4:])
        return _centred(responses @ self._changes * x[3]) - self._seen

    def jacobian(self, x: Array) -> Array:
        """By differences; a dead time moves its own command's response alone."""
        columns = []
        for k in range(4):
            by = np.zeros(len(x))
            by[k] = 1e-6 * max(1.0, abs(x[k]))
            columns.append((self.residual(x + by) - self.residual(x - by)) / (2 * by[k]))
        by_each = 1e-6
        later = self._responses(x[:4], x[4:] + by_each) - self._responses(x[:4], x[4:] - by_each)
        each = later * (self._changes * x[3] / (2 * by_each))
        each = each if len(x) > 5 else each.sum(axis=1, keepdims=True)
        return np.column_stack([*columns, _centred(each)])

    def _responses(self, lag: Array, dead: Array) -> Array:
        """To a unit step of each command (columns), at each sample."""
        since = self._times[:, None] - (self._steps.times + dead)
        ramp = np.maximum(np.abs(self._changes) / np.exp(lag[2]), 1e-4)
        order = self._steps.order + 1
        mean, share = np.exp(lag[0]), lag[1]
        rise = _integral(since, mean, share, order) - _integral(since - ramp, mean, share, order)
        return np.asarray(rise / ramp, float)


def _integral(t: Array, mean: float, share: float, order: int) -> Array:
    """The unit step response of 1 / (1 + mean s + share (mean s)^2), integrated `order` times (1
    or 2). Its poles may be complex: a servo may swing."""
    root = np.sqrt(complex(1 - 4 * share))
    root = root if abs(root) > 1e-4 else 1e-4
    one, two = mean * (1 + root) / 2, mean * (1 - root) / 2
    power = order + 1
    after = np.maximum(t, 0.0)
    if order == 1:
        found = np.where(t > 0, after - mean, 0.0)
    else:
        square = (one**2 + one * two + two**2).real
        found = np.where(t > 0, after**2 / 2 - mean * after + square, 0.0)
    soon = (t > 0) & (t < FADED * mean)
    since = after[soon]
    fade = one**power * np.exp(-since / one) - two**power * np.exp(-since / two)
    found[soon] += (fade / (one - two)).real * (1 if order == 1 else -1)
    return np.asarray(found, float)


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=0), float)

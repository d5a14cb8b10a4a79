"""Index arithmetic of the replay: which frames and rows make up a transition.

Everything is counted in sequence numbers, which only grow; a ring position is a sequence number
modulo the capacity. An episode of T actions owns T + 1 consecutive numbers from `start`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Windows:
    """For a batch of B transitions, all in sequence numbers."""

    observed: Ints  # (B, stack) frames, oldest first
    next_observed: Ints  # (B, stack)
    past_actions: Ints  # (B, window) rows whose actions led up to the observation, oldest first
    next_past_actions: Ints  # (B, window)
    action: Ints  # (B,) row that holds the action taken
    rewards: Ints  # (B, n) rows of the rewards; those beyond the episode repeat its last row ...
    counted: npt.NDArray[np.bool_]  # (B, n) ... and are not counted
    steps: Ints  # (B,) actions to the bootstrap observation: n, or fewer at the episode's end
    at_end: npt.NDArray[np.bool_]  # (B,) whether the bootstrap observation is the final one

    def paid(self, rewards: Floats, discount: float) -> Floats:
        """The discounted sum of (B, n) `rewards`, those of its rows."""
        powers = discount ** np.arange(rewards.shape[1])
        summed: Floats = (rewards * self.counted * powers).sum(axis=1)
        return summed

    def onward(self, ends: npt.NDArray[np.bool_], discount: float) -> Floats:
        """What the bootstrap value counts: nothing where it is the final observation of an episode
        that `ends` there."""
        return np.where(self.at_end & ends, 0.0, discount**self.steps)


def windows(
    start: Ints,
    length: Ints,
    t: Ints,
    stack: int,
    n_step: int,
    window: int,
    most: Ints | None = None,
) -> Windows:
    """Transitions that begin at observation `t` (0 <= t < length) of episodes at `start`.

    Stacks and action windows that reach before an episode repeat its first row (whose action is
    zero); n-step windows that reach past it stop at the final observation. Neither ever touches
    another episode. `most` bounds the steps of each transition by itself.
    """
    steps = np.minimum(n_step if most is None else np.minimum(n_step, most), length - t)
    after = t + steps
    return Windows(
        observed=_back_from(start, t, stack),
        next_observed=_back_from(start, after, stack),
        past_actions=_back_from(start, t, window),
        next_past_actions=_back_from(start, after, window),
        action=start + t + 1,
        rewards=rows_ahead(start, length, t, n_step),
        counted=np.arange(1, n_step + 1) <= steps[:, None],
        steps=steps,
        at_end=after == length,
    )


def rows_ahead(start: Ints, length: Ints, t: Ints, n_step: int) -> Ints:
    """(B, n) rows of the next actions; beyond the episode, its last row again."""
    rows: Ints = start[:, None] + np.minimum(t[:, None] + np.arange(1, n_step + 1), length[:, None])
    return rows


def until_handed_over(driver: npt.NDArray[np.uint8]) -> Ints:
    """How many of the next actions (B, n) are of one driver. What another earned is not this one's:
    a window ends where that one takes over, and bootstraps from there."""
    alone: Ints = np.logical_and.accumulate(driver == driver[:, :1], axis=1).sum(axis=1)
    return alone


def _back_from(start: Ints, t: Ints, count: int) -> Ints:
    """`count` consecutive numbers ending at row t, clamped to the episode's first."""
    offsets = np.arange(1 - count, 1)
    reached: Ints = start[:, None] + np.maximum(t[:, None] + offsets, 0)
    return reached

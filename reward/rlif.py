"""RLIF: the reward is that a person did not step in. Nobody has to judge anything.

fill(ring, index, convert=paid)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from policy.experience.episode import Driver, Episode

PENALTY = -1.0


def rewards(episode: Episode) -> npt.NDArray[np.float32]:
    """-1 for the action after which a person took over from the policy, else 0; by row, as in the
    episode."""
    person = episode.driver == Driver.HUMAN
    taken = person[1:] & (episode.driver[:-1] == Driver.POLICY)  # row k + 1 is a person's first
    found = np.zeros(len(episode.reward), np.float32)
    found[:-1][taken] = PENALTY
    return found


def paid(episode: Episode) -> Episode:
    """The episode as RLIF learns from it."""
    return replace(episode, reward=rewards(episode))

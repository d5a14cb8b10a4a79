"""The reward that interventions are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from factories import counting_episode

from policy.experience.episode import Driver
from reward.rlif import paid, rewards

N, P, H = Driver.NOBODY, Driver.POLICY, Driver.HUMAN


def test_who_made_a_person_step_in_pays() -> None:
    drivers = np.array([N, P, P, H, H, P, H, P, P], np.uint8)
    episode = replace(counting_episode(1, len(drivers) - 1), driver=drivers)
    assert rewards(episode).tolist() == [0, 0, -1, 0, 0, -1, 0, 0, 0]
    found = paid(episode)
    assert found.episode_return == -2
    assert episode.episode_return > 0
    assert found.terminated == episode.terminated


def test_a_person_from_the_start_or_never_costs_nothing() -> None:
    for drivers in ([N, H, H, H], [N, P, P, P], [N, H, P, P]):
        episode = replace(counting_episode(1, 3), driver=np.array(drivers, np.uint8))
        assert not rewards(episode).any()

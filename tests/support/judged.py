"""A log of episodes with pictures of a bin drawn by hand, which a person labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bins import CLUTTER, SIZE, Thing, picture
from factories import INTERFACE, make_action, make_info, make_observation

from policy.experience.episode import PERSON, Verdict
from policy.experience.log import EpisodeWriter
from reward.album import Album, Pair


def pair(seed: int, success: bool) -> Pair:
    """Some clutter, and one thing more after a success; noise and light differ."""
    random = np.random.default_rng([seed, 4])
    things = [*CLUTTER[: int(random.integers(4))]]
    x, y = (int(v) for v in random.uniform((130, 90), (210, 160)))
    colour = (int(random.integers(150, 255)), int(random.integers(40, 255)), 40)
    dropped: Thing = (x, y, int(random.integers(9, 15)), colour)
    gains = random.uniform(0.9, 1.1, 2)
    before = picture(things, 2 * seed, gain=float(gains[0]))
    after = picture([*things, dropped] if success else things, 2 * seed + 1, gain=float(gains[1]))
    assert before.shape[:2] == SIZE
    return Pair({"front": before}, {"front": after})


def judged_log(folder: Path, count: int, seed: int = 0, label: bool = True) -> list[bool]:
    """The truths of its episodes, oldest first."""
    random, truths = np.random.default_rng(seed), []
    for number in range(count):
        truth = bool(random.random() < 0.6)
        info = make_info(episode_id=f"e{seed}-{number:03}", stamp_ns=1000 + number)
        with EpisodeWriter(folder, info, sync="episode") as writer:
            writer.reset(make_observation(random))
            writer.step(make_action(random, 1, terminated=True), make_observation(random, 1))
            if label:
                writer.verdict(Verdict(PERSON, truth))
        Album(folder).add(info.episode_id, pair(1000 * seed + number, truth))
        truths.append(truth)
    assert INTERFACE.observation.cameras
    return truths

"""A log of episodes with pictures of a bin drawn by hand, which a person labelled."""

from __future__ import annotations

from pathlib import Path

import bins
import cv2
import numpy as np
from bins import CLUTTER, Mask, Picture, Thing, picture
from factories import make_action, make_info, make_observation

from policy.experience.episode import PERSON, Verdict
from policy.experience.log import EpisodeWriter
from reward.album import Album, Pair

LESS = 3  # times: small pictures train fast


def small(drawn: Picture) -> Picture:
    size = (drawn.shape[1] // LESS, drawn.shape[0] // LESS)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)


def mask() -> Mask:
    return small(bins.mask().astype(np.uint8)) > 0


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
    return Pair({"front": small(before)}, {"front": small(after)})


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
    return truths

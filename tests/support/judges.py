"""Verdicts of a detector that is right with some probability, and surer where it is."""

from __future__ import annotations

import numpy as np

from policy.experience.episode import Verdict


def verdicts(
    name: str, count: int, right: float = 0.97, seed: int = 0
) -> tuple[list[Verdict], list[bool]]:
    random = np.random.default_rng(seed)
    said, truths = [], []
    for _ in range(count):
        truth, good = bool(random.random() < 0.6), bool(random.random() < right)
        sure = 0.88 + 0.12 * random.beta(5, 1) if good else random.uniform(0.5, 0.9)
        said.append(Verdict(name, truth == good, float(sure)))
        truths.append(truth)
    return said, truths

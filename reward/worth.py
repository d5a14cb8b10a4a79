"""What a score is worth: as a logarithm of odds, by episodes whose outcome is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RIDGE = 1e-3  # where the scores part the outcomes cleanly, nobody is surer than this allows
ROUNDS = 50


def worth(scores: Sequence[float], outcomes: Sequence[bool]) -> tuple[float, float]:
    """Scale and offset of the odds, by logistic regression."""
    told, good = np.asarray(scores, float), np.asarray(outcomes, float)
    middle, spread = float(told.mean()), float(told.std()) or 1.0
    terms = np.stack([(told - middle) / spread, np.ones(len(told))], axis=1)
    weights = np.zeros(2)
    for _ in range(ROUNDS):  # Newton's method
        likely = 1 / (1 + np.exp(-np.clip(terms @ weights, -30, 30)))
        slope = terms.T @ (likely - good) / len(good) + RIDGE * weights
        bend = (terms * (likely * (1 - likely))[:, None]).T @ terms / len(good)
        weights = weights - np.linalg.solve(bend + RIDGE * np.eye(2), slope)
    scale = float(weights[0]) / spread
    return scale, float(weights[1]) - scale * middle

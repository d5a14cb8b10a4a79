"""Scores to odds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reward.worth import worth


def test_worth_is_the_logistic_regression() -> None:
    random = np.random.default_rng(1)
    scores = random.normal(0.02, 0.01, 6000)
    likely = 1 / (1 + np.exp(-(300 * scores - 6.5)))
    scale, offset = worth(list(scores), list(random.random(6000) < likely))
    assert scale == pytest.approx(300, rel=0.1)
    assert offset == pytest.approx(-6.5, abs=0.7)


def test_clean_scores_and_empty_ones_stay_finite() -> None:
    scale, offset = worth([0.0, 0.1, 0.9, 1.0], [False, False, True, True])
    assert scale > 0
    assert -scale * 0.5 == pytest.approx(offset, rel=0.01)
    assert all(math.isfinite(v) for v in worth([1.0, 1.0], [True, False]))

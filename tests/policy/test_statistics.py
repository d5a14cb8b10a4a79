from __future__ import annotations

import math

import pytest

from policy.statistics import Rate


@pytest.mark.parametrize(
    ("successes", "tries", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (240, 300, 0.7510, 0.8413),
    ],
)
def test_wilsons_interval(successes: int, tries: int, low: float, high: float) -> None:
    """Against values computed elsewhere (Newcombe 1998's method 3)."""
    assert Rate(successes, tries).interval == pytest.approx((low, high), abs=2e-4)


def test_of_nothing_nothing_is_known() -> None:
    assert math.isnan(Rate(0, 0).value)
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert str(Rate(83, 100)) == "83.0% (74.5%-89.1%, 83 of 100)"

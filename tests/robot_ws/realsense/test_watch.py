"""What is new, what is missing, and when nothing comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from regrasp_nodes.realsense.watch import FROZEN_PERIODS, Watch

PERIOD = 1 / 30
NS = 1_000_000_000


def picture(number: int) -> Any:
    return np.random.default_rng(number).integers(0, 256, (4, 6, 3), np.uint8)


def watch() -> Watch:
    made = Watch(PERIOD)
    made.opened(0)
    return made


def test_each_picture_is_new_once() -> None:
    one = watch()
    assert one.is_new(1, picture(1))
    assert not one.is_new(1, picture(1))  # came twice
    assert not one.is_new(2, picture(1))  # the same under another number
    assert one.is_new(3, picture(3))
    assert not one.is_new(3, picture(4))  # a number stands for one picture
    assert (one.health(0).duplicates, one.health(0).dropped) == (3, 0)


def test_gaps_in_the_sequence_are_counted() -> None:
    one = watch()
    assert all(one.is_new(number, picture(number)) for number in (5, 6, 9, 12))
    assert one.health(0).dropped == 4
    assert one.is_new(1, picture(1))  # begins anew
    assert one.is_new(2, picture(2))
    assert one.health(0).dropped == 4


def test_an_old_picture_is_old_after_opening_again() -> None:
    one = watch()
    assert one.is_new(7, picture(7))
    one.closed()
    assert not one.health(0).connected
    one.opened(NS)
    assert not one.is_new(1, picture(7))
    assert one.is_new(9, picture(9))
    health = one.health(NS)
    assert (health.connected, health.opened, health.dropped) == (True, 2, 7)


def test_frozen_is_no_new_frame_for_some_periods() -> None:
    one, limit = watch(), round(FROZEN_PERIODS * PERIOD * NS)
    one.handed(NS, NS, True)
    assert not one.frozen(NS + limit - 1000)
    assert one.frozen(NS + limit + 1000)
    one.is_new(1, picture(1))
    one.is_new(2, picture(1))  # a duplicate is no news
    assert one.health(NS + limit + 1000).frozen
    assert one.silent_s(3 * NS) == pytest.approx(2.0)


def test_rate_and_age() -> None:
    one = watch()
    for n in range(90):
        now = round(n * PERIOD * NS)
        one.handed(now, now - (50_000_000 if n == 89 else 5_000_000), n % 10 > 0)
    health = one.health(now)
    assert health.rate == pytest.approx(30, rel=1e-3)
    assert health.age_p50 == pytest.approx(0.005)
    assert 0.005 < health.age_p99 <= 0.05
    assert (health.handed, health.unpaired) == (90, 9)
    assert one.health(now + 10 * NS).rate == 0.0

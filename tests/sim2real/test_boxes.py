"""Boxes by hand: out of masks, over each other, and how well they are found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from policy.contract.canonical import BIN, ROBOT, THINGS
from sim2real.boxes import (
    HAND,
    THING,
    Found,
    average_precision,
    best_alone,
    both,
    overlap,
    sure,
    things_in,
)

SQUARE = np.array([[0.0, 0, 4, 4]])


def found(boxes: list[tuple[float, ...]], scores: list[float], kind: int = THING) -> Found:
    return Found(np.array(boxes, float), np.full(len(boxes), kind), np.array(scores))


def test_a_mask_has_a_box_a_thing_and_none_of_what_is_hardly_seen() -> None:
    mask = np.full((16, 16), BIN, np.uint8)
    mask[2:5, 3:9] = THINGS
    mask[10:14, 10:12] = THINGS + 7
    mask[0, 0] = THINGS + 3
    mask[6:8, 0:9] = ROBOT
    shown = things_in(mask)
    assert shown.boxes.tolist() == [[3, 2, 9, 5], [10, 10, 12, 14]]
    assert set(shown.classes) == {THING}
    assert len(things_in(np.zeros((8, 8), np.uint8))) == 0


def test_overlap_is_intersection_over_union() -> None:
    others = np.array([[0.0, 0, 4, 4], [2, 0, 6, 4], [4, 4, 8, 8]])
    assert overlap(SQUARE, others)[0] == pytest.approx([1, 8 / 24, 0])


def test_of_what_is_found_twice_the_surest_is_left() -> None:
    twice = found([(0, 0, 4, 4), (0.5, 0, 4.5, 4), (8, 8, 12, 12)], [0.5, 0.9, 0.2])
    assert best_alone(twice, 0.3).scores.tolist() == [0.9, 0.2]
    apart = both(found([(0, 0, 4, 4)], [0.5]), found([(0, 0, 4, 4)], [0.9], HAND))
    assert len(best_alone(apart, 0.3)) == 2  # one of each class


def test_average_precision_is_that_of_the_textbook() -> None:
    """Right, wrong, right of two things: precision 1 to recall 0.5, then 2/3."""
    wanted = [sure(np.array([[0.0, 0, 4, 4], [8, 8, 12, 12]]), THING)]
    three = found([(0, 0, 4, 4), (20, 20, 24, 24), (8, 8, 12, 12)], [0.9, 0.8, 0.7])
    assert average_precision([three], wanted, THING) == pytest.approx((1 + 2 / 3) / 2)
    again = found([(0, 0, 4, 4), (0, 0, 4, 4)], [0.9, 0.8])
    assert average_precision([again], wanted, THING) == pytest.approx(0.5)  # found once
    assert average_precision([three], [sure(SQUARE + 30, THING)], THING) == 0
    assert math.isnan(average_precision([three], wanted, HAND))

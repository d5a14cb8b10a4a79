"""The consistency of what a detector sees, and who is to move."""

from __future__ import annotations

import pytest
import torch

from sim2real.detector import Dense
from sim2real.perception import apart, kept

LOGITS = torch.full((2, 9, 2), -6.0)
LOGITS[:, 4, 0] = 3.0  # one thing a picture
BOXES = torch.zeros(2, 9, 4)


def test_what_is_seen_alike_costs_nothing() -> None:
    one = Dense(LOGITS, BOXES)
    assert apart(one, one) == 0
    assert kept(one, one, one) == 0


def test_a_thing_that_moves_fades_or_appears_costs() -> None:
    reference = Dense(LOGITS, BOXES)
    near, far = BOXES.clone(), BOXES.clone()
    near[:, 4, 0], far[:, 4, 0] = 0.2, 0.6
    assert 0 < apart(reference, Dense(LOGITS, near)) < apart(reference, Dense(LOGITS, far))
    faded, appeared = LOGITS.clone(), LOGITS.clone()
    faded[:, 4, 0], appeared[:, 7, 1] = 0.0, 3.0
    assert apart(reference, Dense(faded, BOXES)) > 0
    assert apart(reference, Dense(appeared, BOXES)) > 0


def test_where_nothing_is_seen_boxes_mean_little() -> None:
    elsewhere = BOXES.clone()
    elsewhere[:, 0] = 0.6
    there = BOXES.clone()
    there[:, 4] = 0.6
    reference = Dense(LOGITS, BOXES)
    assert 50 * apart(reference, Dense(LOGITS, elsewhere)) < apart(reference, Dense(LOGITS, there))


def test_the_reference_is_not_to_move() -> None:
    reference, other = (LOGITS + k for k in (0.0, 1.0))
    reference.requires_grad_()
    other.requires_grad_()
    torch.autograd.backward(apart(Dense(reference, BOXES), Dense(other, BOXES + 0.1)))
    assert reference.grad is None
    assert other.grad is not None
    assert other.grad.abs().max() > 0


def test_what_came_back_counts_half() -> None:
    """Published: 1 for there, 1/2 for back against the beginning, and against what was there."""
    one, moved = Dense(LOGITS, BOXES), Dense(LOGITS, BOXES + 0.3)
    cost = apart(one, moved)
    assert kept(one, moved, one).item() == pytest.approx(1.5 * cost.item())
    assert kept(one, one, moved).item() == pytest.approx(cost.item())

"""Turns, with scipy as the second opinion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from calibration.geometry import down
from calibration.rigid import Displacement, quaternion, turn_of, turned

TURNS = [
    *np.random.default_rng(0).uniform(-1.7, 1.7, (20, 3)),
    np.zeros(3), np.array([1e-9, 0.0, -1e-9]), np.array([0.0, 0.0, math.pi - 1e-3]),
]  # fmt: skip


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_a_turn_and_back(turn: np.ndarray) -> None:
    known = Rotation.from_rotvec(turn)
    np.testing.assert_allclose(turned(turn), known.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(turn_of(turned(turn)), turn, atol=1e-7)
    found = quaternion(turned(turn))
    assert found[3] >= 0
    assert abs(found @ known.as_quat()) == pytest.approx(1.0)


@pytest.mark.parametrize("yaw", [-2.0, 0.0, 0.3, math.pi])
def test_half_a_turn_has_a_quaternion(yaw: float) -> None:
    found = Rotation.from_quat(quaternion(down(yaw))).as_matrix()
    np.testing.assert_allclose(found, down(yaw), atol=1e-12)


def test_how_far_it_went() -> None:
    gone = Displacement(np.array([0.0, 3.0, 4.0]), np.array([0.0, 0.1, 0.0]))
    assert (gone.distance, gone.angle) == pytest.approx((5.0, 0.1))

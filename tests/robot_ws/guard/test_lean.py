"""The tool leans where a calibration asks for it: as far as the guard lets it, and slowly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from guided_twin import GuidedTwin
from regrasp_nodes.guard import Step
from regrasp_nodes.guard.lean import PULL, RATE
from regrasp_nodes.poses import lean_of, pose_of

from benchmarks.driven import TICK
from calibration import load_cell
from policy.contract import Invalid
from sim.env import TWIN

CELL = load_cell(TWIN)
MIDDLE = np.array([0.5, 0.0, 0.22, 0.3])
FAR = np.array([0.35, -0.4])


@pytest.fixture
def rig() -> Iterator[GuidedTwin]:
    rig = GuidedTwin(CELL)
    yield rig
    rig.twin.close()


def go(rig: GuidedTwin, lean: np.ndarray) -> None:
    rig.guard.move(MIDDLE, 0.25, rig.now, lean)
    for _ in range(1000):
        rig.tick()
        if rig.guard.arrived():
            return
    pytest.fail("it did not arrive")


def test_it_leans_and_stays_where_it_is(rig: GuidedTwin) -> None:
    go(rig, np.zeros(2))
    places, leans = [], []
    rig.guard.move(MIDDLE, 0.25, rig.now, FAR)
    while not rig.guard.arrived():
        rig.tick()
        assert rig.arm is not None
        told = rig.told(rig.arm)
        places.append(pose_of(told))
        leans.append(lean_of(told))
    np.testing.assert_allclose(leans[-1], FAR, atol=0.03)
    off = np.abs(np.array(places) - MIDDLE).max(axis=0)
    assert off[:3].max() < 0.004
    assert off[3] < 0.05
    rates = np.linalg.norm(np.diff(leans[::5], axis=0), axis=1) / (5 * TICK)
    assert rates.max() < 1.15 * RATE
    assert np.abs(np.diff(rates)).max() / (5 * TICK) < 2 * PULL
    go(rig, np.zeros(2))
    assert rig.arm is not None
    np.testing.assert_allclose(lean_of(rig.told(rig.arm)), 0, atol=0.03)


def test_an_action_takes_the_lean_back(rig: GuidedTwin) -> None:
    go(rig, FAR)
    nothing = rig.guard.limits.nothing
    for index in range(15):
        rig.guard.step(Step("e", index, nothing, rig.now), rig.now)
        rig.wait(0.2)
    assert rig.arm is not None
    np.testing.assert_allclose(lean_of(rig.told(rig.arm)), 0, atol=0.03)


def test_what_is_too_far_is_refused() -> None:
    rig = GuidedTwin(CELL, lean=0.0)
    with pytest.raises(Invalid, match=r"lean: found 0\.532, wanted 0\.00 rad at most"):
        rig.guard.move(MIDDLE, 0.25, rig.now, FAR)
    with pytest.raises(Invalid, match="lean: found nan"):
        rig.guard.move(MIDDLE, 0.25, rig.now, (np.nan, 0.0))
    assert rig.guard.moving() is None
    rig.twin.close()

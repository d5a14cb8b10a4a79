"""The joints' hidden friction, damping and armature come out of the twin's motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cell, load_cell
from calibration.dynamics import Joints, Motion, identify, improves
from calibration.excitation import steps, sway
from policy.contract import Invalid
from sim.env import TWIN
from sim.robot import build_arm
from sim.twin.replay import joints_of, replay, with_joints

CELL = load_cell(TWIN)
PERIOD = 0.01
NOISE = 0.05  # N*m, as torque sensors have


def hidden(random: np.random.Generator) -> Joints:
    joints = joints_of(CELL)
    damping, friction, armature = (
        part * random.uniform(0.5, 2.0, CELL.arm.joints)
        for part in (joints.damping, joints.friction, joints.armature)
    )
    return replace(joints, damping=damping, friction=friction, armature=armature, payload=0.9)


def record(cell: Cell, phase: float, random: np.random.Generator, seconds: float = 12.0) -> Motion:
    motion = replay(cell, sway(seconds, PERIOD, 0.06, 0.35, phase), PERIOD)
    noise = random.normal(0, NOISE, motion.efforts.shape)
    return replace(motion, efforts=motion.efforts + noise)


def test_finds_hidden_joints_and_explains_another_motion() -> None:
    random = np.random.default_rng(5)
    truth = hidden(random)
    cell = with_joints(CELL, truth)
    found = identify(record(cell, 1.0, random), build_arm(CELL), "hand")
    np.testing.assert_allclose(found.damping, truth.damping, rtol=0.1)
    np.testing.assert_allclose(found.friction, truth.friction, rtol=0.12)
    np.testing.assert_allclose(found.armature, truth.armature, rtol=0.12)
    assert found.payload == pytest.approx(truth.payload, abs=0.04)

    other = record(cell, 4.0, random, 4.0)
    commands = sway(4.0, PERIOD, 0.06, 0.35, 4.0)

    def simulate(joints: Joints) -> Motion:
        return replay(with_joints(CELL, joints), commands, PERIOD)

    before, after = improves(simulate, joints_of(CELL), found, other)
    assert after < 0.7 * before
    with pytest.raises(Invalid, match="less than"):
        improves(simulate, found, joints_of(CELL), other)


def test_refuses_what_cannot_tell() -> None:
    model = build_arm(CELL)
    times = PERIOD * np.arange(400, dtype=np.float64)
    still = Motion(times, np.zeros((400, 7)), np.zeros((400, 7)))
    with pytest.raises(Invalid, match="turn the hand as well"):
        identify(still, model, "hand")
    short = Motion(still.times[:9], still.positions[:9], still.efforts[:9])
    with pytest.raises(Invalid, match="record for longer"):
        identify(short, model, "hand")


def test_leaves_the_model_as_it_was() -> None:
    model = build_arm(CELL)
    before = model.dof_damping.copy(), model.body_mass.copy(), int(model.opt.disableflags)
    random = np.random.default_rng(0)
    identify(record(CELL, 0.0, random, 4.0), model, "hand")
    np.testing.assert_array_equal(model.dof_damping, before[0])
    np.testing.assert_array_equal(model.body_mass, before[1])
    assert model.opt.disableflags == before[2]


def test_a_sway_stays_in_reach_and_comes_back() -> None:
    twists = sway(10.0, PERIOD, 0.06, 0.35, 2.0)
    place = np.cumsum(twists, axis=0) * PERIOD
    assert np.abs(place[:, :3]).max() < 0.061
    assert np.abs(place[:, 3:]).max() < 0.355
    np.testing.assert_allclose(place[-1], 0, atol=2e-3)
    assert np.abs(twists[[0, -1]]).max() < 0.05  # of up to 1.2 on the way
    assert (np.diff(np.sign(twists[50:-50]), axis=0) != 0).sum(axis=0).min() > 8  # reversals


def test_steps_stay_within_their_span() -> None:
    times, levels = steps(60, 0.03, 0.02, (0.3, 0.5), np.random.default_rng(3))
    assert (np.diff(levels) != 0).all()
    assert levels[-1] == 0
    place = np.cumsum(np.diff(times) * levels[:-1])
    assert np.abs(place).max() < 0.0201
    assert abs(place[-1]) < 1e-9

"""Kinematics: published poses, and the inverse of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import Cell, load_cell
from calibration.geometry import box_corners, down
from sim.arms import ARMS
from sim.ik import Kinematics, rotation_error, yaw_of

CELLS = Path(__file__).parents[2] / "calibration/cells"


def cell(name: str) -> Cell:
    return load_cell(CELLS / f"{name}.yaml")


@pytest.fixture(params=["twin", "twin_ur5e"])
def kinematics(request: pytest.FixtureRequest) -> Kinematics:
    return Kinematics(cell(request.param))


def test_reaches_the_whole_workspace_pointing_down(kinematics: Kinematics) -> None:
    space = cell("twin").workspace
    for place in box_corners(space.low.value, space.high.value):
        for yaw in (*space.yaw.value, 0.0):
            angles, reached = kinematics.solve(place, down(yaw), kinematics.home)
            there, turn = kinematics.pose(angles)
            assert reached, (place, yaw)
            assert np.abs(there - place).max() < 1e-4
            assert np.abs(turn - down(yaw)).max() < 2e-3


def test_says_when_a_pose_is_out_of_reach(kinematics: Kinematics) -> None:
    _, reached = kinematics.solve(np.array([2.0, 0.0, 0.5]), down(0.0), kinematics.home)
    assert not reached


def test_a_control_step_never_flips_the_arm(kinematics: Kinematics) -> None:
    random, space = np.random.default_rng(0), cell("twin").workspace
    low, high = np.array(space.low.value), np.array(space.high.value)
    place, yaw, angles = (low + high) / 2, 0.0, kinematics.home
    angles, _ = kinematics.solve(place, down(yaw), angles)
    for _ in range(300):
        place = np.clip(place + random.uniform(-0.04, 0.04, 3), low, high)
        yaw = float(np.clip(yaw + random.uniform(-0.35, 0.35), *space.yaw.value))
        after, reached = kinematics.solve(place, down(yaw), angles)
        assert reached
        assert np.abs(after - angles).max() < 0.8
        angles = after


def test_franka_flange_matches_its_published_kinematics() -> None:
    """Modified Denavit-Hartenberg parameters of Franka's data sheet, multiplied by hand."""
    rows = [
        (0, 0.333, 0),
        (0, 0, -1),
        (0, 0.316, 1),
        (0.0825, 0, 1),
        (-0.0825, 0.384, -1),
        (0, 0, 1),
        (0.088, 0, 1),
    ]
    angles = np.array([0.3, -0.4, 0.2, -2.0, 0.5, 1.8, -0.7])
    pose = np.eye(4)
    for (a, d, quarter), q in zip(rows, angles, strict=True):
        alpha = quarter * np.pi / 2
        ca, sa, c, s = np.cos(alpha), np.sin(alpha), np.cos(q), np.sin(q)
        step = [
            [c, -s, 0, a],
            [s * ca, c * ca, -sa, -d * sa],
            [s * sa, c * sa, ca, d * ca],
            [0, 0, 0, 1],
        ]
        pose = pose @ np.array(step)
    tcp = (pose @ [0, 0, 0.107 + 0.1034, 1])[:3]
    found, _ = Kinematics(cell("twin")).pose(angles)
    np.testing.assert_allclose(found, tcp, atol=1e-6)


def test_ur5e_flange_matches_its_published_kinematics() -> None:
    rows = [
        (0, 0.1625, 1),
        (-0.425, 0, 0),
        (-0.3922, 0, 0),
        (0, 0.1333, 1),
        (0, 0.0997, -1),
        (0, 0.0996, 0),
    ]
    angles = np.array([0.4, -1.7, 1.9, -1.6, -1.4, 0.3])
    pose = np.diag([-1.0, -1.0, 1.0, 1.0])  # ROS's base_link, half a turn from the controller's
    for (a, d, quarter), q in zip(rows, angles, strict=True):
        alpha = quarter * np.pi / 2
        ca, sa, c, s = np.cos(alpha), np.sin(alpha), np.cos(q), np.sin(q)
        step = [
            [c, -s * ca, s * sa, a * c],
            [s, c * ca, -c * sa, a * s],
            [0, sa, ca, d],
            [0, 0, 0, 1],
        ]
        pose = pose @ np.array(step)
    tcp = (pose @ [0, 0, 0.1034, 1])[:3]
    found, _ = Kinematics(cell("twin_ur5e")).pose(angles)
    np.testing.assert_allclose(found, tcp, atol=1e-6)


@pytest.mark.parametrize("name", ARMS)
def test_published_inertias_are_physical(name: str) -> None:
    for link in ARMS[name].links:
        xx, yy, zz, xy, xz, yz = link.inertia
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert moments[0] > 0
        assert moments[0] + moments[1] >= moments[2] * (1 - 1e-6)


def test_rotation_error_is_axis_times_angle() -> None:
    np.testing.assert_allclose(rotation_error(down(0.3), down(0.1)), [0, 0, 0.2], atol=1e-9)
    assert np.linalg.norm(rotation_error(down(np.pi), down(0.0))) == pytest.approx(np.pi)
    np.testing.assert_allclose(rotation_error(down(0.3), down(0.3)), 0, atol=1e-9)
    assert yaw_of(down(0.7)) == pytest.approx(0.7)

"""A tool as poses tell it: what is made of a pose is that pose again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from regrasp_nodes.guard import Command
from regrasp_nodes.poses import amiss, lean_of, pose_message, pose_of, twist_message
from scipy.spatial.transform import Rotation

STILL = np.zeros(4)
LEANS = [(0.0, 0.0), (0.5, 0.0), (0.0, -0.5), (0.35, 0.4), (-1e-7, 0.0)]


@pytest.mark.parametrize("yaw", [-1.5, 0.0, 0.7])
@pytest.mark.parametrize("lean", LEANS)
def test_a_pose_and_back(yaw: float, lean: tuple[float, float]) -> None:
    wanted = np.array([0.5, -0.1, 0.2, yaw])
    message = pose_message(Command(wanted, STILL, np.array(lean), np.zeros(2)), 0)
    np.testing.assert_allclose(pose_of(message), wanted, atol=1e-9)
    np.testing.assert_allclose(lean_of(message), lean, atol=1e-9)


def test_straight_down_is_half_a_turn_about_x() -> None:
    message = pose_message(Command(STILL, STILL, np.zeros(2), np.zeros(2)), 0)
    q = message.pose.orientation
    assert (abs(q.x), q.y, q.z) == pytest.approx((1, 0, 0))
    assert q.w == pytest.approx(0, abs=1e-12)


def test_upside_down_is_half_a_turn_of_lean() -> None:
    """A tool frame whose z points into the hand."""
    message = PoseStamped()
    message.pose.orientation.w = 1.0
    assert np.linalg.norm(lean_of(message)) == pytest.approx(np.pi)


def test_what_is_no_pose_to_go_by() -> None:
    def told(**changes: float) -> PoseStamped:
        message = pose_message(Command(STILL, STILL, np.zeros(2), np.zeros(2)), 0)
        for name, value in changes.items():
            part, entry = name.split("_")
            setattr(getattr(message.pose, part), entry, value)
        return message

    assert amiss(told()) == ""
    assert "not finite" in amiss(told(position_z=math.nan))
    assert "not finite" in amiss(told(orientation_w=math.inf))
    assert "length 0.00" in amiss(told(orientation_x=0.0, orientation_w=0.0))
    foreign = told()
    foreign.header.frame_id = "world"
    assert "'world', wanted 'base'" in amiss(foreign)


def test_a_lean_that_nobody_wanted_is_taken_back_slowly() -> None:
    still = Command(STILL, STILL, np.zeros(2), np.zeros(2))
    angular = twist_message(still, np.array([1.0, -2.0]), 0).twist.angular
    assert math.hypot(angular.x, angular.y) == pytest.approx(0.3)


def test_a_twist_leads_to_the_next_pose() -> None:
    """Yaw about a leaning axis, and the lean itself, for a tenth of a second."""
    pose, velocity = np.array([0.5, 0, 0.2, 0.4]), np.array([0.1, 0, 0, 0.3])
    lean, rate = np.array([0.3, -0.4]), np.array([-0.2, 0.1])
    before = pose_message(Command(pose, velocity, lean, rate), 0).pose.orientation
    turn = Rotation.from_quat([before.x, before.y, before.z, before.w])
    for _ in range(100):
        angular = twist_message(Command(pose, velocity, lean, rate), lean, 0).twist.angular
        turn = Rotation.from_rotvec(1e-3 * np.array([angular.x, angular.y, angular.z])) * turn
        pose, lean = pose + 1e-3 * velocity, lean + 1e-3 * rate
    told = PoseStamped()
    q = told.pose.orientation
    q.x, q.y, q.z, q.w = turn.as_quat()
    np.testing.assert_allclose(lean_of(told), lean, atol=1e-4)
    assert pose_of(told)[3] == pytest.approx(pose[3], abs=1e-4)


@pytest.mark.parametrize("lean", [*LEANS, (2e-4, 1e-5), (5e-5, 0.0)])
def test_a_twist_is_how_the_pose_changes(lean: tuple[float, float]) -> None:
    pose, velocity = np.array([0.5, 0, 0.2, 0.4]), np.array([0, 0, 0, 0.7])
    here, rate, moment = np.array(lean), np.array([-0.2, 0.3]), 1e-5

    def turn(after: float) -> Rotation:
        told = Command(pose + after * velocity, velocity, here + after * rate, rate)
        q = pose_message(told, 0).pose.orientation
        return Rotation.from_quat([q.x, q.y, q.z, q.w])

    wanted = (turn(moment) * turn(-moment).inv()).as_rotvec() / (2 * moment)
    angular = twist_message(Command(pose, velocity, here, rate), here, 0).twist.angular
    np.testing.assert_allclose([angular.x, angular.y, angular.z], wanted, atol=1e-8)


def test_a_lean_that_nobody_wanted_is_taken_back() -> None:
    angular = twist_message(Command(STILL, STILL, np.zeros(2), np.zeros(2)), np.array([0.1, 0]), 0)
    assert angular.twist.angular.x < 0


def test_no_number_stays_none() -> None:
    message = PoseStamped()
    message.pose.orientation.x = math.nan
    assert not np.isfinite(pose_of(message)).all()

"""What an arm, its driver and several people may do wrong; on the twin's arm in lockstep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from regrasp_nodes.guard import Sensed, Step
from regrasp_nodes.guard.people import People
from rig import TICK, Rig

from policy.contract import Invalid
from policy.experience.episode import Driver
from sim.twin import Faults


def step(rig: Rig, action: np.ndarray, index: int = 0) -> Driver:
    return rig.guard.step(Step("e", index, action, rig.now - 20_000_000), rig.now).driver


def tell(rig: Rig, seconds: float, pose: np.ndarray, lean: float = 0.0) -> None:
    """The guard hears this of the arm, stamped anew each time; the arm follows all the same."""
    rig.deaf = True
    for _ in range(round(seconds / TICK)):
        rig.guard.sense(Sensed(rig.now, pose.copy(), np.array([lean, 0.0])))
        rig.tick()


def test_a_pose_that_is_told_again_and_again_drives_the_arm_nowhere(rig: Rig) -> None:
    """The driver's link is dead, its wrapper repeats the last state with new stamps."""
    start = rig.twin.truth().tcp_position
    rig.twin.inject(Faults(repeat_pose=True))
    step(rig, rig.wanting(dz=-0.04))
    rig.run(3.0)
    assert "does not change" in str(rig.guard.stopped)
    assert 0.02 < start[2] - rig.twin.truth().tcp_position[2] < 0.12
    stood = rig.twin.truth().tcp_position
    rig.run(2.0)
    np.testing.assert_allclose(rig.twin.truth().tcp_position, stood, atol=1e-3)
    rig.guard.arm(rig.now)  # somebody has looked: it may stand there
    rig.run(2.0)
    assert rig.guard.stopped is None


def test_an_arm_that_stands_may_tell_the_same_pose_for_ever(rig: Rig) -> None:
    rig.run(0.5)
    tell(rig, 3.0, rig.pose())
    assert rig.guard.stopped is None


def test_it_is_not_armed_where_no_inaccuracy_has_taken_it() -> None:
    rig = Rig(armed=False)
    at, high = rig.pose(), rig.guard.limits.high
    for pose, lean, words in (
        (np.array([*at[:2], high[2] + 0.2, at[3]]), 0.0, "0.20 m, 0.00 rad outside"),
        (np.array([*at[:3], high[3] + 0.5]), 0.0, "0.00 m, 0.50 rad outside"),
        (at, 0.3, "leans 0.30 rad"),
        (at, np.pi, "leans 3.14 rad"),
    ):
        rig.guard.sense(Sensed(rig.now, pose, np.array([lean, 0.0])))
        with pytest.raises(Invalid, match=words):
            rig.guard.arm(rig.now)
    rig.guard.sense(Sensed(rig.now, np.array([*at[:2], high[2] + 0.01, at[3]])))
    rig.guard.arm(rig.now)
    rig.twin.close()


def test_from_outside_it_comes_back_a_step_at_a_time_and_says_so(rig: Rig) -> None:
    """Armed, it was guided out of the workspace by hand."""
    high = rig.guard.limits.high
    outside = rig.pose()
    outside[2] = high[2] + 0.3
    tell(rig, 0.3, outside)
    assert rig.guard.stopped is None
    before = rig.guard.commanded()
    assert before[2] > high[2] + 0.1
    done = rig.guard.step(Step("e", 0, rig.wanting(dz=0.04), rig.now), rig.now)
    most = rig.cell.control.max_step.value
    np.testing.assert_allclose(done.executed[2], -most, rtol=1e-6)
    assert "clipped: dz" in done.reasons[0]
    assert before[2] - most - 1e-9 <= rig.guard.commanded()[2] < before[2]


def test_what_the_arm_is_sent_is_bounded_too(rig: Rig) -> None:
    """The reference's speed, and what takes the arm's lag back, together."""
    random, spec = np.random.default_rng(4), rig.guard.limits.spec
    most, turn = rig.cell.arm.max_speed.value, rig.cell.arm.max_turn_rate.value
    rig.commands.clear()
    for k in range(60):
        action = random.choice([spec.low, spec.high], axis=0).astype(np.float32)
        action[2] = abs(action[2])
        step(rig, action, k)
        rig.run(0.2)
    speeds = np.array([command.velocity for command in rig.commands])
    assert np.linalg.norm(speeds[:, :3], axis=1).max() <= most * 1.001
    assert np.abs(speeds[:, 3]).max() <= turn * 1.001


@pytest.mark.parametrize("why", ["a person pressed stop", "no pose"])
def test_who_follows_poses_is_never_told_to_leap(rig: Rig, why: str) -> None:
    """Not as it stops, and not where the last pose that was heard is a second old."""
    low, high = rig.guard.limits.low, rig.guard.limits.high
    rig.guard.move(np.array([low[0], low[1], high[2], 0.0]), 0.0, rig.now)
    rig.run(3.0, rig.guard.arrived)
    rig.guard.move(np.array([high[0], high[1], high[2], 0.0]), 0.0, rig.now)
    rig.run(0.35)
    rig.commands.clear()
    if why == "no pose":
        rig.deaf = True
    else:
        rig.guard.stop(why)
    rig.run(2.0)
    assert rig.guard.stopped
    poses = np.array([command.pose for command in rig.commands])
    most = rig.cell.arm.max_speed.value * TICK
    assert np.linalg.norm(np.diff(poses[:, :3], axis=0), axis=1).max() <= most * 1.01
    np.testing.assert_array_equal(poses[-1], poses[-50])  # it stays where it came to rest


def test_stopped_it_goes_along_with_who_moves_the_arm_by_hand(rig: Rig) -> None:
    rig.guard.stop("a person pressed stop")
    moved = rig.pose() - [0, 0, 0.1, 0]
    tell(rig, 0.5, moved)
    np.testing.assert_allclose(rig.commands[-1].pose, moved)
    assert not rig.commands[-1].velocity.any()


def test_a_second_device_that_nobody_holds_takes_nothing_from_who_holds_the_first(
    rig: Rig,
) -> None:
    up, nothing = rig.wanting(dz=0.02), rig.wanting()
    drivers = []
    for k in range(20):
        rig.guard.human(True, up, rig.now, "gamepad")
        rig.guard.human(False, nothing, rig.now, "keyboard")
        drivers.append(step(rig, rig.wanting(dz=-0.02), k))
        rig.run(0.05)
    assert set(drivers) == {Driver.HUMAN}
    assert rig.guard.counts["hand-overs"] == 1


def test_of_two_who_hold_theirs_the_first_is_followed_until_he_lets_go() -> None:
    people = People(0.25)
    one, other = (np.full(3, k, np.float32) for k in (1, 2))
    people.hold("one", one, 0)
    people.hold("other", other, 1_000_000)
    people.hold("one", one, 2_000_000)
    assert people.wish(2_000_000) is one
    people.release("one")
    assert people.wish(3_000_000) is other
    people.hold("one", one, 4_000_000)
    assert people.wish(251_000_000) is other
    assert people.wish(252_000_000) is one  # the other one has fallen silent
    assert people.wish(255_000_000) is None


def test_fingers_that_did_not_do_it_are_told_again(rig: Rig) -> None:
    rig.guard.grip(0.0)
    assert rig.guard.take_grip() == 0.0
    rig.guard.grip(0.0)
    assert rig.guard.take_grip() is None
    rig.guard.forget_grip()
    rig.guard.grip(0.0)
    assert rig.guard.take_grip() == 0.0


def test_a_pose_of_a_moment_ago_is_no_new_one(rig: Rig) -> None:
    """Sensed again as it was, it grows old."""
    sensed = rig.guard._sensed
    assert sensed is not None
    rig.deaf = True
    for _ in range(30):
        rig.guard.sense(replace(sensed))
        rig.tick()
    assert "s old" in str(rig.guard.holding)

"""What the guard lets through, on the twin's arm in lockstep."""

from __future__ import annotations

import numpy as np
import pytest
from regrasp_nodes.guard import Done, Guard, Limits, Step
from regrasp_nodes.guard.guard import GRACE_NS
from rig import TICK, Rig

from policy.contract import Invalid
from policy.experience.episode import Driver

NOTHING = np.zeros(0, np.float32)


def step(rig: Rig, action: np.ndarray, age: float = 0.02, index: int = 0) -> Done:
    captured = rig.now - round(age * 1e9)
    return rig.guard.step(Step("e", index, action, captured), rig.now)


def test_displacements_add_up(rig: Rig) -> None:
    """Five steps of 3 cm down and aside are 15 cm, whatever the arm's lag."""
    start = rig.pose()
    for k in range(5):
        done = step(rig, rig.wanting(dx=0.02, dz=-0.03, dyaw=0.1), index=k)
        assert done.driver == Driver.POLICY
        assert not done.reasons
        rig.run(0.2)
    rig.run(0.5)
    off = np.abs(rig.pose() - start - [0.1, 0, -0.15, 0.5])
    assert off[:3].max() < 0.006
    assert off[3] < 0.03


def test_an_action_is_done_within_its_period(rig: Rig) -> None:
    """As training had it: of a steady motion no more than half a step is left at a step's end."""
    for k in range(5):
        step(rig, rig.wanting(dz=-0.04), index=k)
        rig.run(0.2)
    left = rig.pose()[2] - rig.guard.commanded()[2]
    assert 0 < left < 0.025


def test_it_stays_in_the_workspace(rig: Rig) -> None:
    low, high = rig.guard.limits.low, rig.guard.limits.high
    random, spec = np.random.default_rng(0), rig.guard.limits.spec
    slack = np.array([0.02, 0.02, 0.02, 0.06])  # an arm's own, at full speed
    for k in range(150):
        way = np.sign(random.uniform(-1, 1, len(spec)))  # to the very ends
        way[2] = 1  # below it would press things down
        step(rig, np.where(way > 0, spec.high, spec.low).astype(np.float32), index=k)
        rig.run(0.2)
        assert (rig.pose() > low - slack).all()
        assert (rig.pose() < high + slack).all()
    assert rig.states[-1].mode == "ready"
    assert rig.guard.counts["clipped actions"] > 20


def test_speed_acceleration_and_jerk_are_bounded(rig: Rig) -> None:
    """Whatever is asked, and whenever; high above the bin, where nothing is in the way."""
    random, spec = np.random.default_rng(1), rig.guard.limits.spec
    motion = rig.guard._tool.motion
    rig.commands.clear()
    for k in range(200):
        action = random.uniform(spec.low, spec.high).astype(np.float32)
        action[2] = abs(action[2])
        if random.random() < 0.2:
            rig.guard.human(bool(random.random() < 0.5), action, rig.now)
        step(rig, action, index=k)
        rig.run(float(random.choice([0.05, 0.2, 0.4])))
    assert not rig.guard.counts["arm held back"]
    poses = np.array([command.pose for command in rig.commands])
    speed = np.diff(poses, axis=0) / TICK
    pull = np.diff(speed, axis=0) / TICK
    jerk = np.diff(pull, axis=0) / TICK
    assert np.linalg.norm(speed[:, :3], axis=1).max() <= motion.speed * 1.01
    assert np.linalg.norm(pull[:, :3], axis=1).max() <= motion.acceleration * 1.05
    assert np.linalg.norm(jerk[:, :3], axis=1).max() <= motion.jerk * 1.1
    assert np.abs(speed[:, 3]).max() <= motion.turn_rate * 1.01
    assert np.abs(pull[:, 3]).max() <= motion.turn_acceleration * 1.05


def test_fuzzed_actions_never_reach_the_arm() -> None:
    """100,000 of them: not finite, out of range, of any length. What is executed is an action that
    is allowed there, and the goal stays in the workspace."""
    rig, random = Rig(), np.random.default_rng(2)
    guard, limits = rig.guard, rig.guard.limits
    strange = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-30, 0.0], np.float32)
    for k in range(100_000):
        size = len(limits.spec) if k % 5 else int(random.integers(0, 12))
        action = random.normal(0, 10 ** random.uniform(-3, 3), size).astype(np.float32)
        where = random.random(size) < 0.1
        action[where] = random.choice(strange, int(where.sum()))
        allowed = guard.allowed()
        done = step(rig, action, index=k)
        assert np.isfinite(done.executed).all()
        assert (allowed[0] - 1e-6 <= done.executed).all()
        assert (done.executed <= allowed[1] + 1e-6).all()
        if action.shape != (len(limits.spec),) or not np.isfinite(action).all():
            assert done.driver == Driver.NOBODY
            np.testing.assert_array_equal(done.executed, limits.nothing)
    goal = guard.commanded()
    assert (goal >= limits.low).all()
    assert (goal <= limits.high).all()
    rig.twin.close()


@pytest.mark.parametrize("age", [0.3, 2.0, -0.1, 1e9])
def test_an_old_picture_moves_nothing(rig: Rig, age: float) -> None:
    done = step(rig, rig.wanting(dz=-0.04), age=age)
    assert done.driver == Driver.NOBODY
    assert "the picture is" in done.reasons[0]
    before = rig.pose()
    rig.run(0.5)
    np.testing.assert_allclose(rig.pose(), before, atol=1e-3)


def test_a_silent_policy_stops_the_arm_within_100_ms(rig: Rig) -> None:
    for k in range(3):
        step(rig, rig.wanting(dx=0.04, dy=0.03, dyaw=0.35), index=k)
        rig.run(0.2)
    rig.run(0.1)  # the next action was due at the beginning of it
    velocity = rig.commands[-1].velocity
    assert np.linalg.norm(rig.guard._tool.reference.velocity[:3]) < 0.02
    assert np.linalg.norm(velocity[:3]) < 0.1  # what is left takes back the arm's lag
    assert GRACE_NS < 100_000_000


def test_a_person_takes_over_in_the_middle_and_gives_back(rig: Rig) -> None:
    """Both wishes are told, and the tool's way has no kink (its jerk is bounded)."""
    down, up = rig.wanting(dz=-0.04), rig.wanting(dz=0.02)
    rig.commands.clear()
    drivers = []
    for k in range(9):
        done = step(rig, down, index=k)
        for _ in range(10):
            rig.guard.human(2 <= k < 5, up, rig.now)
            rig.run(0.02)
        drivers.append(done.driver)
        np.testing.assert_array_equal(done.policy, down)
        if done.driver == Driver.HUMAN:
            np.testing.assert_array_equal(done.human, up)
            np.testing.assert_allclose(done.executed[2], 0.02)
    assert drivers == [Driver.POLICY] * 3 + [Driver.HUMAN] * 3 + [Driver.POLICY] * 3
    jerk = np.diff(np.array([c.pose for c in rig.commands]), 3, axis=0) / TICK**3
    assert np.linalg.norm(jerk[:, :3], axis=1).max() <= rig.guard._tool.motion.jerk * 1.1


def test_a_dead_mans_switch_that_falls_silent_is_released(rig: Rig) -> None:
    rig.guard.human(True, rig.wanting(dz=0.03), rig.now)
    rig.run(0.3)
    assert step(rig, rig.wanting()).driver == Driver.POLICY


def test_fingers_are_told_once(rig: Rig) -> None:
    told = []
    for k in range(4):
        step(rig, rig.wanting(gripper_close=1.0), index=k)
        told.append(rig.guard.take_grip())
    assert told == [0.0, None, None, None]
    step(rig, rig.wanting(gripper_close=1.0, gripper_open=1.0))  # says nothing
    assert rig.guard.take_grip() is None
    step(rig, rig.wanting(gripper_open=1.0))
    assert rig.guard.take_grip() == rig.cell.gripper.aperture.value[1]


def test_nothing_moves_before_it_is_armed() -> None:
    rig = Rig(armed=False)
    done = step(rig, rig.wanting(dz=-0.04))
    assert done.driver == Driver.NOBODY
    assert done.reasons == ("not armed yet",)
    before = rig.pose()
    rig.run(0.5)
    np.testing.assert_allclose(rig.pose(), before, atol=1e-3)
    rig.twin.close()


def test_a_stop_is_at_once_and_for_good(rig: Rig) -> None:
    for k in range(3):
        step(rig, rig.wanting(dx=0.04), index=k)
        rig.run(0.15)
    rig.guard.stop("a person pressed stop")
    rig.tick()
    assert not rig.commands[-1].velocity.any()
    rig.guard.stop("and something else")
    assert rig.guard.stopped == "a person pressed stop"
    rig.run(3.0)
    before = rig.pose()
    assert step(rig, rig.wanting(dx=0.04)).driver == Driver.NOBODY
    with pytest.raises(Invalid, match="a person pressed stop"):
        rig.guard.move(before, 0.1, rig.now)
    rig.run(0.5)
    np.testing.assert_allclose(rig.pose(), before, atol=1e-3)
    rig.guard.arm(rig.now)
    assert step(rig, rig.wanting(dx=-0.04)).driver == Driver.POLICY


def test_a_fault_of_the_arm_must_be_gone_before_it_is_armed(rig: Rig) -> None:
    rig.guard.stop("protective stop")
    with pytest.raises(Invalid, match="protective stop"):
        rig.guard.arm(rig.now, "protective stop")
    assert rig.guard.stopped


def test_it_starts_slowly_after_arming() -> None:
    rig = Rig(armed=False)
    rig.guard.arm(rig.now)
    rig.guard.move(rig.pose() - [0, 0, 0.2, 0], 0.0, rig.now)
    rig.run(0.3)
    assert np.linalg.norm(rig.commands[-1].velocity[:3]) < 0.4 * rig.cell.arm.max_speed.value
    rig.twin.close()


def test_without_a_pose_it_holds_and_then_stops(rig: Rig) -> None:
    step(rig, rig.wanting(dx=0.04))
    rig.run(0.05)
    rig.deaf = True
    rig.run(0.4)
    assert "the arm's pose is" in str(rig.guard.holding)
    assert not rig.commands[-1].velocity.any() or np.abs(rig.commands[-1].velocity).max() < 1e-3
    assert rig.guard.stopped is None
    rig.deaf = False
    rig.run(0.1)
    assert rig.guard.holding is None  # what was short goes by itself
    rig.deaf = True
    rig.run(1.5)
    rig.deaf = False
    rig.run(0.5)
    assert rig.guard.stopped  # what was long is for a person


def test_a_scripted_way_goes_on_when_the_pose_is_there_again(rig: Rig) -> None:
    goal = rig.pose() - [0, 0, 0.15, 0]
    rig.guard.move(goal, 0.1, rig.now)
    rig.run(0.4)
    rig.deaf = True
    rig.run(0.5)
    assert rig.guard.holding
    held = rig.pose()
    rig.run(0.2)
    np.testing.assert_allclose(rig.pose(), held, atol=1e-3)
    rig.deaf = False
    assert rig.run(5.0, rig.guard.arrived)
    np.testing.assert_allclose(rig.pose()[:3], goal[:3], atol=0.005)
    rig.deaf = True
    rig.run(0.3)
    rig.guard.move(held, 0.1, rig.now)  # it is not lost: it waits
    rig.run(0.2)
    np.testing.assert_allclose(rig.pose()[:3], goal[:3], atol=0.005)
    rig.deaf = False
    assert rig.run(5.0, rig.guard.arrived)
    np.testing.assert_allclose(rig.pose()[:3], held[:3], atol=0.005)


def test_a_clock_that_jumps_makes_it_stand_still(rig: Rig) -> None:
    step(rig, rig.wanting(dx=0.04))
    rig.run(0.05)
    rig.twin.advance(5.0)  # and nobody ticked
    rig.tick()
    assert rig.guard.counts["clock jumps"] == 1
    rig.run(0.1)
    before = rig.pose()
    rig.run(0.5)
    np.testing.assert_allclose(rig.pose(), before, atol=2e-3)


def test_scripted_ways(rig: Rig) -> None:
    low, high = rig.guard.limits.low, rig.guard.limits.high
    corner = np.array([low[0], high[1], high[2], 0.4])
    rig.guard.move(corner, 0.0, rig.now)
    assert rig.run(5.0, rig.guard.arrived)
    np.testing.assert_allclose(rig.pose(), corner, atol=0.03)
    np.testing.assert_allclose(rig.pose()[:3], corner[:3], atol=0.005)
    assert step(rig, rig.wanting(dx=0.04)).driver == Driver.POLICY
    outside = corner - np.array([0.1, 0, 0, 0])
    with pytest.raises(Invalid, match="workspace"):
        rig.guard.move(outside, 0.0, rig.now)
    with pytest.raises(Invalid, match="workspace"):
        rig.guard.move(corner * np.nan, 0.0, rig.now)


def test_a_way_that_yields_is_done_where_something_is_in_the_way(rig: Rig) -> None:
    thing = rig.twin.truth().object_positions[0]
    low, high = rig.guard.limits.low, rig.guard.limits.high
    above = np.array([*np.clip(thing[:2], low[:2], high[:2]), high[2], 0.0])
    rig.guard.grip(0.0)
    rig.guard.move(above, 0.0, rig.now)
    assert rig.run(5.0, rig.guard.arrived)
    rig.guard.move(np.array([*above[:2], low[2], 0.0]), 0.1, rig.now, yields=True)
    assert rig.run(5.0, rig.guard.arrived)
    assert rig.pose()[2] > thing[2]
    rig.run(0.5)
    assert np.linalg.norm(rig.commands[-1].velocity) < 0.02  # it does not go on pressing
    assert rig.guard.stopped is None
    rig.guard.move(above, 0.1, rig.now, yields=True)
    assert rig.run(5.0, rig.guard.arrived)
    np.testing.assert_allclose(rig.pose()[:3], above[:3], atol=0.005)


def test_during_a_way_the_policy_is_not_heard_but_a_person_is(rig: Rig) -> None:
    rig.guard.move(rig.pose() - [0, 0, 0.2, 0], 0.1, rig.now)
    rig.run(0.2)
    assert "scripted" in step(rig, rig.wanting(dx=0.04)).reasons[0]
    rig.guard.human(True, rig.wanting(dz=0.04), rig.now)
    assert rig.guard.moving() is None
    assert step(rig, rig.wanting(dx=0.04)).driver == Driver.HUMAN


def test_what_is_allowed_is_a_box_of_actions_within_the_contract() -> None:
    rig, random = Rig(armed=False), np.random.default_rng(3)
    limits: Limits = Guard(rig.cell).limits
    for _ in range(300):
        at = random.uniform(limits.low - 0.1, limits.high + 0.1)
        low, high = limits.allowed(at)
        assert (limits.spec.low <= low).all()
        assert (low <= high).all()
        assert (high <= limits.spec.high).all()
    rig.twin.close()

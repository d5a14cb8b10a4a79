"""The twin from outside, in lockstep: arm, gripper, faults. Nothing is drawn here."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from calibration.geometry import down
from policy.contract import Invalid
from sim.config import ObjectConfig
from sim.objects import quaternion
from sim.twin import ArmState, ClawState, Faults, Twin, TwinConfig
from sim.twin.armstate import DriveConfig
from sim.twin.topic import Closed

CAN = ObjectConfig(count=(1, 1), width=(0.04, 0.05), families=("can",))


def lockstep(**changes: object) -> Twin:
    settings = {"mode": "lockstep", "cameras": (), "objects": CAN} | changes
    return Twin(config=TwinConfig(**settings))  # type: ignore[arg-type]


def arm(twin: Twin) -> ArmState:
    state = twin.arm.states.latest()
    assert state is not None
    return state


def claw(twin: Twin) -> ClawState:
    state = twin.gripper.states.latest()
    assert state is not None
    return state


def facing_down(yaw: float = 0.0) -> tuple[float, float, float, float]:
    w, x, y, z = (float(v) for v in quaternion(down(yaw)))
    return (x, y, z, w)


def grasp(twin: Twin) -> None:
    """Take the one can in the bin, and lift it. A can away from the walls, for room."""
    for seed in range(20):
        twin.reset(seed)
        place = twin.truth().object_positions[0]
        if abs(place[0] - 0.5) < 0.06 and abs(place[1]) < 0.1 and place[2] > 0.015:
            break
    twin.arm.pose((place[0], place[1], 0.15), facing_down())
    twin.advance(1.5)
    twin.arm.pose((place[0], place[1], max(place[2], 0.02)), facing_down())
    twin.advance(1.5)
    twin.gripper.command(0.0)
    twin.advance(1.0)
    twin.arm.displace((0, 0, 0.15), 0.0, 1.0)
    twin.advance(1.5)


# Time ---------------------------------------------------------------------------------------------


def run(seed: int, step: float) -> list[bytes]:
    with lockstep(seed=seed) as twin, twin.arm.states.subscribe(1000) as states:
        twin.arm.displace((0.02, -0.03, -0.05), 0.3, 0.5)
        twin.gripper.command(0.02, 20.0)
        for _ in range(round(0.8 / step)):
            twin.advance(step)
        found = states.drain()
        truth = twin.truth()
    joints = [state.positions.tobytes() + state.force.tobytes() for state in found]
    return [*joints, truth.object_positions.tobytes(), truth.joints.tobytes()]


def test_lockstep_is_the_same_bit_for_bit() -> None:
    assert run(3, 0.1) == run(3, 0.1)


def test_how_time_is_cut_up_changes_nothing() -> None:
    assert run(3, 0.1) == run(3, 0.8 / 320)


def test_another_seed_is_another_world() -> None:
    assert run(3, 0.1) != run(4, 0.1)


def test_fractions_of_a_step_add_up() -> None:
    with lockstep() as twin:
        for _ in range(300):
            twin.advance(1 / 300)
        assert abs(twin.time_ns - 10**9) <= 2_000_000


# The arm ------------------------------------------------------------------------------------------


def test_states_come_at_their_rate_with_stamps() -> None:
    with lockstep() as twin, twin.arm.states.subscribe(200) as states:
        twin.advance(1.0)
        found = states.drain()
    stamps = np.array([state.stamp_ns for state in found])
    assert [state.sequence for state in found] == list(range(len(found)))
    assert 99 <= len(found) <= 101
    assert (np.diff(stamps) == 10_000_000).all()


def test_a_displacement_is_executed_after_its_latency() -> None:
    with lockstep() as twin:
        twin.advance(0.1)
        start = arm(twin).tcp_position
        twin.arm.displace((0.03, 0.02, -0.04), 0.2, 0.2)
        twin.advance(0.014)  # the command needs 15 ms at the very least
        assert not arm(twin).velocities.any()
        twin.advance(1.0)
        state = arm(twin)
    assert np.allclose(state.tcp_position - start, (0.03, 0.02, -0.04), atol=0.002)
    assert state.mode == "ready"


def test_displacements_add_up() -> None:
    with lockstep() as twin:
        twin.advance(0.1)
        start = arm(twin).tcp_position
        for _ in range(5):
            twin.arm.displace((0.0, 0.02, 0.0), 0.0, 0.2)
            twin.advance(0.2)
        twin.advance(0.5)
        assert np.allclose(arm(twin).tcp_position - start, (0, 0.1, 0), atol=0.002)


def test_encoders_count() -> None:
    grain = 2 * math.pi / 2**12
    with lockstep(drive=DriveConfig(encoder_bits=12)) as twin:
        twin.arm.twist((0.05, 0, 0), (0, 0, 0))
        twin.advance(0.2)
        state = arm(twin)
    assert np.allclose(state.positions / grain, np.round(state.positions / grain), atol=1e-6)
    counts = state.velocities * 0.01 / grain  # by differences: whole counts a period
    assert np.allclose(counts, np.round(counts), atol=1e-6)


def test_the_watchdog_stops_a_stale_velocity() -> None:
    with lockstep() as twin:
        twin.arm.twist((0, 0.1, 0), (0, 0, 0))
        twin.advance(0.2)
        assert np.abs(arm(twin).velocities).max() > 0.05
        twin.advance(0.5)
        state = arm(twin)
        assert np.abs(state.velocities).max() < 0.01
        assert state.mode == "ready"
        assert twin.health().watchdog_stops == 1


def test_a_velocity_that_is_kept_fresh_goes_on() -> None:
    with lockstep() as twin:
        twin.advance(0.1)
        start = arm(twin).tcp_position
        for _ in range(20):
            twin.arm.twist((0, 0.05, 0), (0, 0, 0))
            twin.advance(0.1)
        moved = arm(twin).tcp_position - start
    assert moved[1] == pytest.approx(0.1, abs=0.01)
    assert np.abs(moved[[0, 2]]).max() < 0.003


STIFF = DriveConfig(yield_force=1000.0)


def press(twin: Twin) -> None:
    """Drive the gripper into the bin's floor."""
    for _ in range(60):
        twin.arm.twist((0, 0, -0.15), (0, 0, 0))
        twin.advance(0.05)


def test_a_protective_stop_latches_until_it_is_cleared() -> None:
    with lockstep(drive=STIFF) as twin:
        press(twin)
        state = arm(twin)
        assert state.mode == "protective_stop"
        assert "contact" in state.reason or "torque" in state.reason
        refused = twin.health().commands_refused
        for _ in range(20):
            twin.arm.twist((0, 0, 0.1), (0, 0, 0))
            twin.advance(0.1)
        assert arm(twin).mode == "protective_stop"
        assert twin.health().commands_refused >= refused + 19
        low = arm(twin).tcp_position[2]
        twin.arm.clear()
        twin.arm.displace((0, 0, 0.1), 0.0, 1.0)
        twin.advance(1.5)
        assert arm(twin).mode == "ready"
        assert arm(twin).tcp_position[2] > low + 0.09


def test_what_pushes_is_felt() -> None:
    with lockstep() as twin, twin.arm.states.subscribe(400) as states:
        press(twin)
        pushed = max(states.drain(), key=lambda state: float(state.force[2]))
    assert pushed.force[2] > 15  # up, against the gripper


def test_the_emergency_stop_needs_release_and_clear() -> None:
    with lockstep() as twin:
        twin.arm.twist((0, 0.1, 0), (0, 0, 0))
        twin.advance(0.1)
        twin.arm.emergency_stop()
        twin.advance(0.5)
        assert arm(twin).mode == "emergency_stop"
        assert np.abs(arm(twin).velocities).max() < 0.01
        with pytest.raises(RuntimeError, match="release first"):
            twin.arm.clear()
        twin.arm.release()
        twin.advance(0.1)
        assert arm(twin).mode == "protective_stop"
        twin.arm.clear()
        twin.advance(0.1)
        assert arm(twin).mode == "ready"


@pytest.mark.parametrize("goal", [(0.95, 0.0, 0.5), (-0.3, 0.0, 0.2)], ids=["far", "behind"])
def test_what_the_arm_cannot_reach_stops_it(goal: tuple[float, float, float]) -> None:
    with lockstep() as twin:
        twin.arm.pose(goal, facing_down())
        twin.advance(6.0)
        state = arm(twin)
    assert state.mode == "protective_stop"
    assert any(word in state.reason for word in ("singular", "joint limit", "unreachable"))


def test_lost_commands_are_counted() -> None:
    with lockstep() as twin:
        twin.inject(Faults(lose_commands=0.5))
        for _ in range(40):
            twin.arm.twist((0, 0.01, 0), (0, 0, 0))
            twin.advance(0.05)
        twin.advance(0.1)
        health = twin.health()
    assert 10 < health.commands_lost < 30
    assert health.commands_lost + health.commands_received == 40


def test_a_stuck_joint_is_noticed_by_name_and_heals() -> None:
    with lockstep() as twin:
        twin.advance(0.1)
        before = arm(twin).positions
        twin.inject(Faults(stick=(0,)))
        twin.arm.displace((0, 0.1, 0), 0.0, 0.5)
        twin.advance(1.5)
        state = arm(twin)
        assert state.mode == "protective_stop"
        assert "joint 0" in state.reason
        assert abs(state.positions[0] - before[0]) < 0.002
        twin.inject(Faults())
        twin.arm.clear()
        twin.arm.displace((0, 0.05, 0), 0.0, 0.5)
        twin.advance(1.5)
        assert arm(twin).mode == "ready"
        assert abs(arm(twin).positions[0] - before[0]) > 0.02


# The gripper --------------------------------------------------------------------------------------


def test_the_gripper_goes_where_it_is_told() -> None:
    with lockstep() as twin:
        twin.gripper.command(0.03)
        twin.advance(0.04)  # 80 ms of latency, 30 of them jitter at most
        assert claw(twin).target == pytest.approx(0.08)
        twin.advance(1.5)
        state = claw(twin)
    assert state.width == pytest.approx(0.03, abs=0.001)
    assert state.reached
    assert not state.object_detected


def test_the_gripper_feels_what_it_holds_and_slip_drops_it() -> None:
    with lockstep() as twin:
        grasp(twin)
        state = claw(twin)
        assert twin.truth().held == 0
        assert state.object_detected
        assert 0.035 < state.width < 0.055
        assert state.force > 20
        twin.inject(Faults(slip=True))
        twin.advance(1.5)
        assert twin.truth().held is None
        assert twin.truth().object_positions[0, 2] < 0.06
        assert not claw(twin).object_detected


def test_an_opened_gripper_lets_go_at_once() -> None:
    with lockstep() as twin:
        grasp(twin)
        twin.gripper.command(0.08)
        twin.advance(0.5)
        assert twin.truth().held is None


def test_a_jammed_gripper_stands_and_pushes() -> None:
    with lockstep() as twin:
        twin.inject(Faults(gripper_jam=True))
        twin.gripper.command(0.0)
        twin.advance(1.0)
        state = claw(twin)
        assert state.width > 0.079
        assert state.stalled
        twin.inject(Faults())
        twin.advance(1.5)
        assert claw(twin).width < 0.001


# Objects, and what is refused ---------------------------------------------------------------------


def test_objects_are_refilled_while_the_arm_stays() -> None:
    with lockstep(objects=ObjectConfig(count=(4, 8))) as twin:
        twin.advance(0.1)
        joints, before = twin.truth().joints, twin.truth().parameters
        twin.reset_objects(11)
        after = twin.truth()
        assert np.allclose(after.joints, joints, atol=1e-3)
        assert after.parameters.things != before.things
        assert len(after.object_positions) == len(after.parameters.things)
        twin.reset_objects(12)
        twin.reset_objects(11)
        assert twin.truth().parameters == after.parameters


def test_the_bin_is_not_filled_onto_the_gripper() -> None:
    with lockstep() as twin:
        twin.arm.displace((0, 0, -0.2), 0.0, 1.0)
        twin.advance(1.5)
        with pytest.raises(Invalid, match="an empty gripper"):
            twin.reset_objects(1)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("factor", lambda: TwinConfig(factor=0.0)),
        ("factor", lambda: TwinConfig(mode="lockstep", factor=2.0)),
        ("preset", lambda: TwinConfig(preset="beach")),
        ("max_lag", lambda: TwinConfig(max_lag=0.0)),
        ("watchdog", lambda: DriveConfig(watchdog=0.0)),
        ("encoder_bits", lambda: DriveConfig(encoder_bits=4)),
        ("drop", lambda: Faults(drop=1.5)),
        ("burst_hold", lambda: Faults(burst_every=0.1, burst_hold=0.2)),
        ("cameras", lambda: lockstep(cameras=("back",))),
    ],
)
def test_bad_configuration_is_refused_by_name(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as caught:
        make()
    assert caught.value.problem.field == field


def test_bad_commands_are_refused_by_name() -> None:
    with lockstep() as twin:
        refused: list[tuple[str, Callable[[], object]]] = [
            ("linear", lambda: twin.arm.twist((0, math.nan, 0), (0, 0, 0))),
            ("angular", lambda: twin.arm.twist((0, 0, 0), (0, 0))),
            ("orientation", lambda: twin.arm.pose((0.5, 0, 0.2), (1, 1, 0, 0))),
            ("width", lambda: twin.gripper.command(0.2)),
            ("force", lambda: twin.gripper.command(0.0, 1000.0)),
            ("stick", lambda: twin.inject(Faults(stick=(7,)))),
            ("freeze", lambda: twin.inject(Faults(freeze=("back",)))),
            ("seconds", lambda: twin.advance(-1.0)),
        ]
        for field, command in refused:
            with pytest.raises(Invalid) as caught:
                command()
            assert caught.value.problem.field == field


def test_after_the_end_it_says_so() -> None:
    twin = lockstep()
    twin.close()
    twin.close()
    with pytest.raises(Closed, match="open another"):
        twin.advance(0.1)
    with pytest.raises(Closed):
        twin.arm.twist((0, 0, 0), (0, 0, 0))


def test_lockstep_does_not_wait_for_what_cannot_come() -> None:
    with (
        lockstep() as twin,
        twin.arm.states.subscribe() as states,
        pytest.raises(TimeoutError, match="advance the twin"),
    ):
        states.get(timeout=60.0)

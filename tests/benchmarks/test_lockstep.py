"""The cell without ROS: it grasps, judges itself, and what is written down is what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rosless  # noqa: F401
from regrasp_nodes.guard import Command, Motion
from stand_in import StandIn

import policy
from benchmarks.driven import TICK
from benchmarks.lockstep import LockstepCell
from policy.experience.episode import Driver
from policy.experience.log import open_index, read_episode
from policy.runtime import OnnxPolicy
from policy.serving.host import Host

TRAINED = Path(policy.__file__).parent / "trained/grasp.onnx"


def test_it_plays_judges_and_writes_down_and_the_same_again(tmp_path: Path) -> None:
    rounds = []
    for name in ("one", "other"):
        with Host(OnnxPolicy(TRAINED)) as host:
            log = tmp_path / name
            cell = LockstepCell(host, log, None, 1, 0.0, tmp_path / f"{name}-reward")
            with cell.twin:
                cell.calibrate()
                played = [cell.play() for _ in range(2)]
        rounds.append([(one.judged, one.truth, one.steps) for one in played])
        with open_index(log) as index:
            entries = list(index)
        assert [entry.success for entry in entries] == [one.judged for one in played]
        for entry, one in zip(entries, played, strict=True):
            episode = read_episode(entry.path)
            assert len(episode) == one.steps
            assert (episode.driver[1:] == Driver.POLICY).all()
            ages = (episode.execution_ns[1:] - episode.capture_ns[:-1]) * 1e-9
            assert ((ages > 0.04) & (ages < 0.2)).all()
            assert np.isfinite(episode.q[1:]).all()
    assert any(one[0] for one in rounds[0])
    assert rounds[0] == rounds[1]


def test_stirring_moves_things_whatever_the_fingers_land_on(tmp_path: Path) -> None:
    with Host(OnnxPolicy(TRAINED)) as host:
        cell = LockstepCell(host, tmp_path / "log", "factory", 1, 0.0, tmp_path / "reward")
        with cell.twin:
            cell.calibrate()
            before = cell.twin.truth().object_positions
            cell.reset(stir=True)
            cell.reset(stir=True)
            moved = np.linalg.norm(cell.twin.truth().object_positions - before, axis=1)
            assert cell.guard.counts["ways that yielded"] > 2
    assert np.sort(moved)[-3] > 0.02


def test_a_person_takes_over_and_lets_go_and_the_arm_does_not_jerk(tmp_path: Path) -> None:
    """Both actions and who drove are in the log; the learner draws what the person did."""
    with Host(OnnxPolicy(TRAINED)) as host:
        cell = LockstepCell(host, tmp_path / "log", None, 1, 0.0, tmp_path / "reward")
        with cell.twin:
            cell.calibrate()
            cell.person = StandIn(cell, since=3, steps=5)
            speeds: list[np.ndarray] = []
            advance = cell.guard.tick

            def tick(now_ns: int) -> Command | None:
                command = advance(now_ns)
                if command is not None:
                    speeds.append(command.velocity[:3].copy())
                return command

            cell.guard.tick = tick  # type: ignore[method-assign]
            cell.play()
            cell.person = StandIn(cell, since=2, steps=18)
            played = [cell.play() for _ in range(3)]
    with open_index(tmp_path / "log") as index:
        episodes = [read_episode(entry.path) for entry in index]
        shown = [entry.human_steps for entry in index]
    first = episodes[0]
    assert (first.driver[1:4] == Driver.POLICY).all()
    assert (first.driver[4:9] == Driver.HUMAN).all()
    assert (first.driver[9:] == Driver.POLICY).all()
    assert shown[0] == 5
    assert np.isfinite(first.policy[1:]).all()
    assert np.isfinite(first.human[4:9]).all()
    assert np.isnan(first.human[9:]).all()
    # The person is followed, but no further than the workspace goes.
    off = np.abs(first.executed[4:9, :2] - first.human[4:9, :2]).max(axis=1)
    assert (off < 1e-6).sum() >= 3
    assert sum(one.truth for one in played) >= 2  # the operator knows how to
    faster = np.linalg.norm(np.diff(np.array(speeds), axis=0), axis=1) / TICK
    assert faster.max() < 1.5 * Motion.of(cell.cell).acceleration + 0.5

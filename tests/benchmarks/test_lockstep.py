"""The cell without ROS: it grasps, judges itself, and what is written down is what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rosless  # noqa: F401

import policy
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

"""A log of the robot's own work tells where the hand's camera is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell
from calibration.__main__ import main
from calibration.fromlog import FEWEST, camera_by_log
from calibration.geometry import down
from policy.contract import Invalid
from policy.contract.depth import depth_bytes
from policy.experience.episode import Action, EpisodeInfo, Observation
from policy.experience.log.writer import EpisodeWriter
from sim.objects import quaternion
from sim.twin import FeedConfig, Twin, TwinConfig

FILE = Path(__file__).resolve().parents[2] / "calibration" / "cells" / "twin.yaml"
CELL = load_cell(FILE)
INTERFACE = CELL.interface(("wrist_depth",))


def work(log: Path, twin: Twin, episodes: int) -> None:
    """Episodes that begin somewhere above the bin, and end there."""
    random = np.random.default_rng(2)
    span = INTERFACE.observation.images[0].depth
    assert span is not None
    low, high = np.array(CELL.workspace.low.value), np.array(CELL.workspace.high.value)
    nothing = Action(np.zeros(len(INTERFACE.action), np.float32), truncated=True)
    for _ in range(episodes):
        x, y, z = random.uniform((*low[:2], 0.2), high)
        yaw = random.uniform(-1.2, 1.2)
        w, *rest = quaternion(down(yaw))
        twin.arm.pose((x, y, z), (*rest, w))
        twin.advance(2.0)
        frame = twin.cameras["wrist"].latest()
        assert frame is not None
        assert frame.depth is not None
        picture = depth_bytes(frame.depth / 1000, span)
        height = z - CELL.bin.centre.value[2]
        told = np.array([0.08, x, y, height, yaw], np.float32)
        seen = Observation({"wrist_depth": picture}, told, frame.captured_ns)
        with EpisodeWriter(log, EpisodeInfo(INTERFACE, "online"), sync="episode") as writer:
            writer.reset(seen)
            writer.step(nothing, seen)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A log, and by how much the camera is elsewhere."""
    log = tmp_path_factory.mktemp("worked") / "log"
    feed = FeedConfig(rate=5.0)
    config = TwinConfig(
        mode="lockstep", preset="factory", seed=3, cameras=("wrist_depth",), feed=feed
    )
    with Twin(CELL, config) as twin:
        work(log, twin, FEWEST)
        return log, np.array(twin.truth().parameters.views["wrist"].shift)


def test_finds_the_camera_by_what_it_saw_at_rest(worked: tuple[Path, np.ndarray]) -> None:
    log, shift = worked
    assert np.linalg.norm(shift) > 0.01
    found = camera_by_log(CELL, "wrist", log)
    assert found is not None
    assert np.abs(found.shift - shift).max() < 0.002
    place = np.array(found.camera(CELL.cameras["wrist"]).pose.position.value)
    nominal = np.array(CELL.cameras["wrist"].pose.position.value)
    np.testing.assert_allclose(place - nominal, found.shift)


def test_waits_for_enough_of_it(worked: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    for path in sorted(worked[0].glob("*.mcap"))[: FEWEST - 1]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert camera_by_log(CELL, "wrist", tmp_path) is None


def test_says_what_a_log_lacks(worked: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(Invalid, match=r"cameras\.front\.depth: found None"):
        camera_by_log(CELL, "front", worked[0])
    also = replace(CELL, cameras={**CELL.cameras, "other": CELL.cameras["wrist"]})
    with pytest.raises(Invalid, match=r"images: found .*wanted other_depth among"):
        camera_by_log(also, "other", worked[0])


def test_a_cell_file_with_what_was_found(
    worked: tuple[Path, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To simulate from there."""
    log, shift = worked
    made, before = tmp_path / "found.yaml", FILE.read_bytes()

    def run(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["calibration", "from-log", *map(str, words)])
        return main()

    assert run(FILE, "wrist", log, "--out", made) == 0
    assert "mm and" in capsys.readouterr().out
    found, nominal = (one.cameras["wrist"].pose.position.value for one in (load_cell(made), CELL))
    assert np.abs(np.array(found) - nominal - shift).max() < 0.002
    assert FILE.read_bytes() == before
    (tmp_path / "few").mkdir()
    for path in sorted(log.glob("*.mcap"))[: FEWEST - 1]:
        (tmp_path / "few" / path.name).write_bytes(path.read_bytes())
    assert run(FILE, "wrist", tmp_path / "few") == 1
    assert "let the robot play more episodes" in capsys.readouterr().err

"""Collecting: the log is whole, continued after a kill, and the same whoever wrote it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell, save_cell
from policy.contract import Invalid, decode
from policy.experience.episode import Driver, Episode
from policy.experience.fill import fill
from policy.experience.log.care import verify
from policy.experience.log.index import open_index
from policy.experience.log.reader import read_episode
from policy.experience.replay.ringwriter import RingWriter
from sim import presets
from sim.collect import main
from sim.config import SceneConfig
from sim.env import TWIN, BinGrasp
from sim.parameters import Parameters

EPISODES = 12
SMALL = ["--size", "32", "--episodes", str(EPISODES)]


def command(log: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sim.collect", str(log), *arguments]


def run(log: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(log, *arguments), capture_output=True, text=True, check=False)


def episodes(log: Path) -> dict[int, Episode]:
    """By seed; each file whole, none twice."""
    for path, error in verify(log):
        assert error is None, f"{path}: {error}"
    found = [read_episode(path) for path in sorted(log.glob("*.mcap"))]
    by_seed = {episode.info.seed: episode for episode in found}
    assert len(by_seed) == len(found)
    return by_seed


def assert_same(a: Episode, b: Episode) -> None:
    """But for the wall's time."""
    assert replace(a.info, stamp_ns=0) == replace(b.info, stamp_ns=0)
    assert a.images.keys() == b.images.keys()
    for camera, frames in a.images.items():
        assert np.array_equal(frames, b.images[camera])
    for field in ("proprio", "executed", "reward", "capture_ns", "execution_ns"):
        assert getattr(a, field).tobytes() == getattr(b, field).tobytes(), field
    assert (a.terminated, a.success) == (b.terminated, b.success)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written at one go, by one process."""
    path = tmp_path_factory.mktemp("collected") / "log"
    done = run(path, *SMALL, "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{EPISODES} episodes, ")
    return path


def test_what_is_written(log: Path, tmp_path: Path) -> None:
    found = episodes(log)
    assert sorted(found) == list(range(EPISODES))
    cell = load_cell(TWIN)
    for seed, episode in found.items():
        info = episode.info
        assert (info.source, info.task) == ("offline", "regrasp/BinGrasp-v0")
        assert (info.cell_id, info.cell_fingerprint) == (cell.id, cell.fingerprint)
        assert info.episode_id.endswith(f"-{seed:09d}")
        assert info.interface.observation.images[0].shape == (32, 32, 3)
        assert decode(Parameters, info.parameters, "parameters").things
        assert (episode.driver[1:] == Driver.SCRIPT).all()
        assert set(episode.policy_version[1:]) == {"scripted"}
        # The world's own time: one action a control period, give or take the jitter.
        periods = np.diff(episode.execution_ns[1:]) / 1e9
        assert (abs(periods - info.interface.control_period_s) < 0.1).all()
        assert (episode.capture_ns[:-1] <= episode.execution_ns[1:]).all()
        assert (episode.observation_age[1:] >= 0).all()
        (verdict,) = episode.verdicts
        assert (verdict.detector, verdict.success) == ("simulator", episode.reward[-1] == 1)
    transitions = sum(map(len, found.values()))
    interface = found[0].info.interface
    with (
        RingWriter.create(tmp_path / "ring", interface, transitions + EPISODES) as ring,
        open_index(log) as index,
    ):
        assert fill(ring, index).added == EPISODES


@pytest.mark.parametrize("whom", ["the parent", "all of them"])
def test_killed_it_continues(log: Path, tmp_path: Path, whom: str) -> None:
    killed = tmp_path / "log"
    process = subprocess.Popen(
        command(killed, *SMALL, "--processes", "2"),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    seen = ""
    while f"4/{EPISODES}" not in seen:  # the bar's own words
        seen += (letter := process.stderr.read(1))
        assert letter, seen
    if whom == "the parent":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert 4 <= len(list(killed.glob("*.mcap"))) < EPISODES
    # Workers whose parent is gone end by themselves; who continues waits for them.
    done = run(killed, *SMALL, "--processes", "2")
    assert done.returncode == 0, done.stderr
    assert not list(killed.glob("*.part"))
    expected, found = episodes(log), episodes(killed)
    assert found.keys() == expected.keys()
    for seed, episode in found.items():
        assert_same(episode, expected[seed])


def test_what_is_there_is_not_collected_again(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in log.glob("*.mcap")}
    assert main([str(log), *SMALL]) == 0
    assert capsys.readouterr().out.startswith(f"{EPISODES} episodes, ")
    assert {path: path.stat().st_mtime_ns for path in log.glob("*.mcap")} == before


def test_transitions_and_demonstrations(tmp_path: Path) -> None:
    wanted = ["--size", "16", "--transitions", "50", "--policy", "expert", "--no-randomize"]
    done = run(tmp_path, *wanted, "--processes", "2", "--seed", "100")
    assert done.returncode == 0, done.stderr
    found = episodes(tmp_path)
    assert min(found) == 100
    assert {episode.info.source for episode in found.values()} == {"demonstration"}
    assert sum(map(len, found.values())) >= 50
    ended = sorted(tmp_path.glob("*.mcap"), key=lambda path: path.stat().st_mtime_ns)
    lengths = [len(read_episode(path)) for path in ended]
    assert sum(lengths[:-2]) < 50  # no more than were under way
    successes = sum(bool(episode.success) for episode in found.values())
    assert f"success {successes / len(found):.1%}" in done.stdout


def test_what_is_wrong_is_refused_before_anything_starts(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = load_cell(TWIN)
    strange = tmp_path / "strange.yaml"
    save_cell(replace(cell, arm=replace(cell.arm, model="octopus")), strange)
    new = tmp_path / "new"
    for directory, arguments, message in (
        (new, ["--episodes", "0"], "episodes: found 0, wanted 1 or more"),
        (new, ["--transitions", "-1"], "transitions: found -1"),
        (new, ["--episodes", "1", "--processes", "0"], "processes: found 0"),
        (new, ["--episodes", "1", "--seed", "-1"], "seed: found -1"),
        (new, ["--episodes", "1", "--size", "4"], "size: found"),
        (new, ["--episodes", "1", "--cell", str(strange)], "arm.model: found 'octopus', wanted"),
        (new, ["--episodes", "1", "--cell", "nowhere.yaml"], "nowhere.yaml"),
        (log, ["--episodes", "1"], "observation.images.0.height: found 32, wanted 96"),
    ):
        assert main([str(directory), *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not new.exists()


def test_a_twins_room_is_collected_as_it_is(tmp_path: Path) -> None:
    """What its preset draws for a seed, and nothing randomised around it."""
    ran = run(tmp_path, "--size", "32", "--episodes", "2", "--room", "kitchen", "--processes", "1")
    assert ran.returncode == 0, ran.stderr
    config = SceneConfig()
    for seed, found in episodes(tmp_path).items():
        logged = decode(Parameters, found.info.parameters, "the log")
        assert logged == presets.episode("kitchen", load_cell(TWIN), seed, slots=config.objects)


def test_a_room_is_as_it_is() -> None:
    with pytest.raises(Invalid, match=r"randomize: found .*, wanted None in a room"):
        BinGrasp(room="kitchen", randomize={})
    with pytest.raises(Invalid, match="preset: found 'cellar', wanted one of factory, kitchen"):
        BinGrasp(room="cellar").reset()

"""A painted log is a log: the same episodes in other pictures, made once, fit to learn from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from two_rooms import SIZE, write_room

from policy.contract import Invalid
from policy.experience.episode import PERSON, Episode, Verdict
from policy.experience.fill import fill
from policy.experience.log import VerdictWriter, open_index, read_episode
from policy.experience.log.care import verify
from policy.experience.replay import RingWriter
from sim2real.config import from_mapping, read_translator
from sim2real.data import as_pictures, as_tensor
from sim2real.reading import frames_of
from sim2real.train import train
from sim2real.translate import main, translate


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs")
    write_room(directory / "sim", "sim", raw=True)
    write_room(directory / "cell", "cell")
    logs = {name: str(directory / name) for name in ("sim", "cell")}
    for name, updates in (("one", 10), ("other", 20)):
        choices = {"translator": "colour", "name": name, "size": SIZE, "updates": updates}
        train(from_mapping({**logs, **choices}), directory / name)
    return directory


def episodes(log: Path) -> list[Episode]:
    for path, error in verify(log):
        assert error is None, f"{path}: {error}"
    with open_index(log) as index:
        return [read_episode(entry.path) for entry in index]


def successes(log: Path) -> list[str]:
    """With verdicts that came later."""
    with open_index(log) as index:
        return sorted(str(entry.success) for entry in index)


def test_nothing_but_the_pictures_differs(runs: Path, tmp_path: Path) -> None:
    assert translate(runs / "sim", runs / "one", tmp_path) == (6, 0)
    _, translator = read_translator(runs / "one")
    before = {episode.info.episode_id: episode for episode in episodes(runs / "sim")}
    for painted in episodes(tmp_path):
        plain = before.pop(painted.info.parameters["painted"]["episode"])
        shown = as_tensor(frames_of("sim", plain, "front", SIZE))
        assert np.array_equal(painted.images["front"], as_pictures(translator.translate(shown)))
        assert painted.info.interface.observation.images[0].shape == (SIZE, SIZE, 3)
        for name in ("proprio", "executed", "reward", "driver", "capture_ns", "execution_ns"):
            assert np.array_equal(getattr(painted, name), getattr(plain, name)), name
        assert (painted.terminated, painted.truncated) == (plain.terminated, plain.truncated)
        assert painted.info.stamp_ns == plain.info.stamp_ns
    assert not before


def test_a_replay_takes_both_for_episodes_of_their_own(runs: Path, tmp_path: Path) -> None:
    write_room(tmp_path / "small", "sim")
    assert main([str(tmp_path / "small"), str(runs / "one"), "--out", str(tmp_path / "out")]) == 0
    seen = episodes(tmp_path / "out")[0].info.interface
    with RingWriter.create(tmp_path / "ring", seen, 200) as ring:
        for log in ("small", "out"):
            with open_index(tmp_path / log) as index:
                assert fill(ring, index).added == 6


def test_it_is_made_once_and_goes_on_where_it_was(runs: Path, tmp_path: Path) -> None:
    write_room(tmp_path / "log", "sim", episodes=2)
    with VerdictWriter(tmp_path / "log") as verdicts:
        verdicts.add("sim-1", Verdict(PERSON, True))  # long after the episode
    out = tmp_path / "out"
    assert translate(tmp_path / "log", runs / "one", out) == (2, 0)
    assert [episode.success for episode in episodes(out)] == [None, True]
    files = {path: path.stat().st_mtime_ns for path in out.glob("*.mcap")}
    write_room(tmp_path / "more", "sim", episodes=3)
    assert translate(tmp_path / "more", runs / "one", out) == (1, 0)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert not [*(out / ".repair").iterdir()]


def test_verdicts_that_come_after_the_painting_come_along(runs: Path, tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    write_room(log, "sim", episodes=2)
    assert translate(log, runs / "one", out) == (2, 0)
    with VerdictWriter(log) as verdicts:
        verdicts.add("sim-0", Verdict(PERSON, True))
    assert translate(log, runs / "one", out) == (0, 1)
    assert successes(out) == ["None", "True"]
    assert translate(log, runs / "one", out) == (0, 0)
    with VerdictWriter(log) as verdicts:
        verdicts.add("sim-0", Verdict(PERSON, False))
    assert translate(log, runs / "one", out) == (0, 1)
    assert successes(out) == ["False", "None"]


def test_a_run_of_a_gpu_paints_where_there_is_none(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "one", tmp_path / "run")
    config = json.loads((tmp_path / "run/config.json").read_text())
    (tmp_path / "run/config.json").write_text(json.dumps({**config, "device": "cuda"}))
    assert translate(runs / "sim", tmp_path / "run", tmp_path / "out") == (6, 0)


def test_what_two_translators_made_is_kept_apart(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translate(runs / "sim", runs / "one", tmp_path / "out")
    with pytest.raises(Invalid, match=r"out: found 'painted-.*, wanted what .*other has painted"):
        translate(runs / "sim", runs / "other", tmp_path / "out")
    with pytest.raises(Invalid, match=r"out: found 'sim-0'.*name another directory"):
        translate(runs / "sim", runs / "one", runs / "sim")
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty"), str(runs / "one"), "--out", str(tmp_path / "x")]) == 2
    assert "log: found 'no episode in" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()

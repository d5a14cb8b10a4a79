"""The export as a LeRobotDataset v3.0, read back as the plain parquet and JSON files it is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from factories import INTERFACE, TINY, counting_episode, make_info, make_observation, write_episode

from policy.contract import ImageSpec
from policy.experience.episode import PERSON, Episode, Verdict
from policy.experience.errors import ExperienceError
from policy.experience.lerobot import dataset, export
from policy.experience.log.reader import read_episode
from policy.experience.log.repair import copy_steps
from policy.experience.log.verdicts import VerdictWriter
from policy.experience.log.writer import EpisodeWriter

LENGTHS = (5, 1, 3)
DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"


def write_log(log: Path) -> list[Episode]:
    """Three episodes; the second was truncated and has another task."""
    paths = [
        write_episode(
            *(log, steps, seed),
            terminated=seed != 1,
            task="insert" if seed == 1 else "pick",
            cell_id="desk",
            stamp_ns=seed,
        )[0]
        for seed, steps in enumerate(LENGTHS)
    ]
    return [read_episode(path) for path in paths]


def read(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def load(file: Path) -> Any:
    return json.loads(file.read_text())


def test_rows_hold_the_action_taken_next(tmp_path: Path) -> None:
    episodes = write_log(tmp_path / "log")
    out = export(tmp_path / "log", tmp_path / "new" / "out")
    files = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    meta = ["meta/info.json", "meta/stats.json", "meta/tasks.parquet"]
    assert files == [DATA, EPISODES, *meta]
    assert [path.name for path in out.parent.iterdir()] == ["out"]  # no workshop is left

    rows = read(out / DATA)
    assert [row["index"] for row in rows] == list(range(sum(LENGTHS)))
    taken = iter(rows)
    for number, episode in enumerate(episodes):
        for t in range(len(episode)):
            row = next(taken)
            last = t == len(episode) - 1
            for camera, frames in episode.images.items():
                image = row[f"observation.images.{camera}"]
                assert image["path"] == f"frame-{t:06d}.png"
                pixels = cv2.imdecode(np.frombuffer(image["bytes"], np.uint8), cv2.IMREAD_COLOR)
                assert pixels is not None
                np.testing.assert_array_equal(pixels[..., ::-1], frames[t])
            assert row["observation.state"] == episode.proprio[t].tolist()
            assert row["action"] == episode.executed[t + 1].tolist()
            assert row["next.reward"] == episode.reward[t + 1]
            assert row["next.done"] == last
            assert row["next.truncated"] == (last and number == 1)
            assert row["intervention"] == bool(t % 2)
            assert row["timestamp"] == np.float32(0.2 * t)
            assert (row["frame_index"], row["episode_index"]) == (t, number)
            assert row["task_index"] == (number == 1)
            assert "next.success" not in row  # nobody has judged these


def test_info_and_tasks(tmp_path: Path) -> None:
    write_log(tmp_path / "log")
    out = export(tmp_path / "log", tmp_path / "out")
    info = load(out / "meta/info.json")
    assert info["codebase_version"] == "v3.0"
    assert info["fps"] == 5
    assert isinstance(info["fps"], int)
    assert info["robot_type"] == "desk"
    counts = [info[f"total_{what}"] for what in ("episodes", "frames", "tasks")]
    assert counts == [3, sum(LENGTHS), 2]
    assert info["splits"] == {"train": "0:3"}
    features = info["features"]
    assert list(features) == pq.read_schema(out / DATA).names
    channels = ["height", "width", "channels"]
    wanted = {"dtype": "image", "shape": [12, 16, 3], "names": channels}
    assert features["observation.images.front"] == wanted
    names = INTERFACE.action.names
    assert features["action"] == {"dtype": "float32", "shape": [3], "names": names}
    assert features["next.done"] == {"dtype": "bool", "shape": [1], "names": None}

    tasks = pq.read_table(out / "meta/tasks.parquet")
    assert tasks.to_pydict() == {"task_index": [0, 1], "task": ["pick", "insert"]}
    assert load_metadata(tasks.schema, b"pandas")["index_columns"] == ["task"]
    described = load_metadata(pq.read_schema(out / DATA), b"huggingface")["info"]["features"]
    assert described["observation.images.wrist"] == {"_type": "Image"}
    assert described["observation.state"]["length"] == 2


def load_metadata(schema: Any, key: bytes) -> Any:
    return json.loads(schema.metadata[key])


def test_one_task_for_all(tmp_path: Path) -> None:
    write_log(tmp_path / "log")
    out = export(tmp_path / "log", tmp_path / "out", task="grasp the bolt")
    assert read(out / "meta/tasks.parquet") == [{"task_index": 0, "task": "grasp the bolt"}]
    assert {row["task_index"] for row in read(out / DATA)} == {0}
    assert [row["tasks"] for row in read(out / EPISODES)] == [["grasp the bolt"]] * 3


@pytest.mark.parametrize("split", [False, True])
def test_episodes_say_where_they_are(
    tmp_path: Path, split: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "EPISODES_A_WRITE", 2)
    if split:  # every episode is now too large to share a file, and two files fill a chunk
        monkeypatch.setattr(dataset, "FILE_MB", 0)
        monkeypatch.setattr(dataset, "FILES_A_CHUNK", 2)
    write_log(tmp_path / "log")
    out = export(tmp_path / "log", tmp_path / "out")
    rows = read(out / EPISODES)
    assert [row["episode_index"] for row in rows] == [0, 1, 2]
    assert [row["length"] for row in rows] == list(LENGTHS)
    assert [row["tasks"] for row in rows] == [["pick"], ["insert"], ["pick"]]
    ranges = [(row["dataset_from_index"], row["dataset_to_index"]) for row in rows]
    assert ranges == [(0, 5), (5, 6), (6, 9)]
    places = [(row["data/chunk_index"], row["data/file_index"]) for row in rows]
    assert places == ([(0, 0), (0, 1), (1, 0)] if split else [(0, 0)] * 3)
    for number, (row, (chunk, file)) in enumerate(zip(rows, places, strict=True)):
        held = read(out / f"data/chunk-{chunk:03d}/file-{file:03d}.parquet")
        mine = [r["index"] for r in held if r["episode_index"] == number]
        assert mine == list(range(row["dataset_from_index"], row["dataset_to_index"]))
        assert split == (len(mine) == len(held))


def test_statistics(tmp_path: Path) -> None:
    episodes = write_log(tmp_path / "log")
    out = export(tmp_path / "log", tmp_path / "out")
    stats = load(out / "meta/stats.json")
    assert set(stats) == set(load(out / "meta/info.json")["features"])
    per_episode = read(out / EPISODES)
    values: dict[str, list[npt.NDArray[Any]]] = {
        "observation.state": [episode.proprio[:-1] for episode in episodes],
        "action": [episode.executed[1:] for episode in episodes],
        "next.reward": [episode.reward[1:, None] for episode in episodes],
        "observation.images.front": [episode.images["front"][:-1] / 255.0 for episode in episodes],
    }
    for name, taken in values.items():
        every = np.concatenate(taken).astype(np.float64)
        axes = tuple(range(every.ndim - 1))
        for kind in ("min", "max", "mean", "std"):
            shape = (3, 1, 1) if every.ndim == 4 else (-1,)
            compute = getattr(np, kind)
            wanted = compute(every, axes).reshape(shape)
            np.testing.assert_allclose(stats[name][kind], wanted, rtol=1e-9, err_msg=name)
            of_first = per_episode[0][f"stats/{name}/{kind}"]
            wanted = compute(taken[0].astype(np.float64), axes).reshape(shape)
            np.testing.assert_allclose(of_first, wanted, rtol=1e-9, err_msg=name)
        assert stats[name]["count"] == [sum(LENGTHS)]
        median = np.quantile(taken[0], 0.5, axis=axes, method="inverted_cdf")
        of_first = np.ravel(per_episode[0][f"stats/{name}/q50"])
        np.testing.assert_allclose(of_first, median, rtol=1e-6, err_msg=name)
    assert stats["next.done"]["min"] == [False]
    assert stats["next.done"]["mean"] == [pytest.approx(3 / sum(LENGTHS))]


def test_success_needs_every_label(tmp_path: Path) -> None:
    """A label counts wherever it is stored: here beside the episodes, in files of its own."""
    episodes = write_log(tmp_path / "log")
    with VerdictWriter(tmp_path / "log") as labels:
        for number, episode in enumerate(episodes):
            labels.add(episode.info.episode_id, Verdict(PERSON, success=number != 1))
    rows = read(export(tmp_path / "log", tmp_path / "out") / DATA)
    good = [row["index"] for row in rows if row["next.success"]]
    assert good == [4, 8]  # the last rows of the first and the last episode


def test_vectors_of_one_entry_and_odd_rates(tmp_path: Path) -> None:
    """LeRobot keeps a vector of one entry as a plain number."""
    episode = counting_episode(3, steps=2)
    info = replace(episode.info, interface=replace(TINY, control_period_s=0.3))
    with EpisodeWriter(tmp_path / "log", info) as writer:
        copy_steps(episode, writer)
    out = export(tmp_path / "log", tmp_path / "out")
    rows = read(out / DATA)
    assert [row["action"] for row in rows] == [301.0, 302.0]
    assert [row["observation.state"] for row in rows] == [0.0, 1.0]
    assert load(out / "meta/info.json")["fps"] == pytest.approx(10 / 3)
    assert rows[1]["timestamp"] == np.float32(0.3)


def test_mixed_interfaces_are_refused(tmp_path: Path) -> None:
    first = write_episode(tmp_path / "log", stamp_ns=1)[0]
    slow = replace(INTERFACE, control_period_s=0.5)
    other = write_episode(tmp_path / "log", stamp_ns=2, interface=slow)[0]
    wanted = rf"{other.name}: another .* than {first.name}(.|\n)*period_s: found 0\.5, wanted 0\.2"
    with pytest.raises(ExperienceError, match=wanted) as caught:
        export(tmp_path / "log", tmp_path / "out")
    assert "proprio" not in str(caught.value)  # only what differs
    assert not (tmp_path / "out").exists()


def test_only_colour_is_taken(tmp_path: Path) -> None:
    cameras = (ImageSpec("depth", 2, 2, channels=1),)
    gray = replace(TINY, observation=replace(TINY.observation, images=cameras))
    episode = counting_episode(0, steps=1)
    episode = replace(episode, images={"depth": episode.images["front"][..., :1]})
    with EpisodeWriter(tmp_path / "log", replace(episode.info, interface=gray)) as writer:
        copy_steps(episode, writer)
    with pytest.raises(ExperienceError, match=r"camera depth: found 1 channel.*wanted 3"):
        export(tmp_path / "log", tmp_path / "out")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_episode(tmp_path / "log", steps=1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for place in (out, out / "notes.txt"):
        with pytest.raises(ExperienceError, match="found something there already"):
            export(tmp_path / "log", place)
    (out / "notes.txt").unlink()
    assert export(tmp_path / "log", out) == out  # an empty directory is as good as none
    assert len(read(out / DATA)) == 1


def test_logs_that_cannot_be_exported(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    with pytest.raises(ExperienceError, match="found no episode with an action"):
        export(log, tmp_path / "out")
    with EpisodeWriter(log, make_info()) as writer:  # only observed: no row to write
        writer.reset(make_observation(np.random.default_rng(0)))
    with pytest.raises(ExperienceError, match="found no episode with an action"):
        export(log, tmp_path / "out")
    path = write_episode(log)[0]
    (log / "torn.mcap").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ExperienceError, match=r"found 1 unreadable(.|\n)*torn\.mcap"):
        export(log, tmp_path / "out")
    (log / "torn.mcap").unlink()
    assert len(read(export(log, tmp_path / "out") / DATA)) == 5


def test_lack_of_pyarrow_is_named() -> None:
    code = "import sys; sys.modules['pyarrow'] = None; import policy.experience.lerobot"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "pip install -e '.[lerobot]'" in run.stderr

"""The index, late verdicts, merging, filling a ring, and the command line."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from factories import INTERFACE, write_episode

from policy.experience.__main__ import main
from policy.experience.episode import PERSON, Verdict, success
from policy.experience.errors import BusyError, DamagedError, ExperienceError, StorageError
from policy.experience.fill import fill
from policy.experience.log import care, messages
from policy.experience.log.index import FILE, Index, open_index
from policy.experience.log.reader import read_episode
from policy.experience.log.repair import unfinished
from policy.experience.log.verdicts import VerdictWriter
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Sampler, Source
from reward.album import Album, Pair


def test_index_takes_in_what_is_new(tmp_path: Path) -> None:
    first, *_ = write_episode(tmp_path, steps=3, stamp_ns=2)
    with open_index(tmp_path) as index:
        assert [entry.path for entry in index] == [first]
        second, *_ = write_episode(tmp_path, steps=4, stamp_ns=1, terminated=False)
        assert len(index) == 1
        assert index.refresh() == 1
        older, newer = index
        assert (older.path, newer.path) == (second, first)
        assert (older.steps, older.terminated, older.human_steps) == (4, False, 2)
        assert older.episode_return == 0 + 1 + 2 + 3
        assert (newer.policy_version, newer.recovered) == ("v1", False)
        assert index.refresh() == 0
        first.unlink()
        index.refresh()
        assert [entry.path for entry in index] == [second]


@pytest.mark.slow
def test_index_of_thousands_opens_in_under_a_second(tmp_path: Path) -> None:
    path, *_ = write_episode(tmp_path / "one")
    log = tmp_path / "log"
    log.mkdir()
    for number in range(5000):
        (log / f"{number:05d}.mcap").hardlink_to(path)
    Index(log).close()
    started = time.perf_counter()
    with open_index(log) as index:
        entries = list(index)
    assert len(entries) == 5000
    elapsed = time.perf_counter() - started
    print(f"5,000 episodes opened and listed in {elapsed:.3f} s")
    assert elapsed < 1.0


def test_late_verdicts(tmp_path: Path) -> None:
    path, *_ = write_episode(tmp_path)
    episode_id = path.stem
    with open_index(tmp_path) as index:
        assert next(iter(index)).success is None
        with VerdictWriter(tmp_path) as verdicts:
            verdicts.add(episode_id, Verdict("classifier", False, 0.6, gate="g2", stamp_ns=5))
        index.refresh()
        assert next(iter(index)).success is False
        with VerdictWriter(tmp_path) as verdicts:
            verdicts.add(episode_id, Verdict(PERSON, True, stamp_ns=1))
        index.refresh()
        entry = next(iter(index))
    assert entry.success is True
    assert {v.detector for v in entry.verdicts} == {"classifier", PERSON}  # the old one stays


def test_a_killed_labeller_loses_nothing(tmp_path: Path) -> None:
    path, *_ = write_episode(tmp_path)
    code = (
        "import sys, signal, os\nfrom pathlib import Path\n"
        "from policy.experience.log.verdicts import VerdictWriter\n"
        "from policy.experience.episode import Verdict\n"
        "writer = VerdictWriter(Path(sys.argv[1]))\n"
        "writer.add(sys.argv[2], Verdict('person', True))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), path.stem], check=False)
    assert done.returncode == -signal.SIGKILL
    (part,) = unfinished(tmp_path)
    assert part.parent.name == "verdicts"
    list(care.repair_all(tmp_path))
    assert unfinished(tmp_path) == []
    with open_index(tmp_path) as index:
        assert next(iter(index)).success is True


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        ([Verdict("a", True, stamp_ns=1), Verdict("b", False, stamp_ns=2)], False),
        ([Verdict("a", True, stamp_ns=1), Verdict("b", False, abstained=True, stamp_ns=2)], True),
        ([Verdict(PERSON, True, stamp_ns=1), Verdict("b", False, stamp_ns=2)], True),
        ([Verdict(PERSON, True, stamp_ns=1), Verdict(PERSON, False, stamp_ns=2)], False),
        ([Verdict("a", True, abstained=True)], None),
    ],
)
def test_which_label_counts(given: list[Verdict], expected: bool | None) -> None:
    assert success(given) is expected
    assert success(given[::-1]) is expected


def test_merge(tmp_path: Path) -> None:
    a, b, both = tmp_path / "a", tmp_path / "b", tmp_path / "both"
    path, *_ = write_episode(a)
    write_episode(b)
    with VerdictWriter(a) as verdicts:
        verdicts.add(path.stem, Verdict(PERSON, True))
    assert care.merge([a, b], both) == (3, [])
    assert care.merge([a, b], both) == (0, [])
    with open_index(both) as index:
        assert sorted(str(entry.success) for entry in index) == ["None", "True"]
    c = tmp_path / "c"
    write_episode(c, seed=9, episode_id=path.stem)
    write_episode(c)
    count, (problem,) = care.merge([c], both)  # one bad file does not hold up the others
    assert count == 1
    assert isinstance(problem, BusyError)
    assert "found another file of this name" in str(problem)


def test_what_was_judged_upon_goes_along(tmp_path: Path) -> None:
    """And where such pictures are damaged, they are told, and set aside by a repair."""
    a, both = tmp_path / "a", tmp_path / "both"
    path, *_ = write_episode(a)
    seen = {"wrist": np.full((8, 8, 3), 7, np.uint8)}
    pictures = Album(a).add(path.stem, Pair(seen, seen))
    assert care.merge([a], both) == (2, [])
    assert np.array_equal(Album(both).pair(path.stem).after["wrist"], seen["wrist"])
    with open_index(both) as index:
        assert [entry.episode_id for entry in index] == [path.stem]
        assert index.problems == []
    os.truncate(pictures, pictures.stat().st_size // 2)
    damaged = [found for found, error in care.verify(a) if error is not None]
    assert damaged == [pictures]
    assert list(care.repair_all(a)) == [(pictures, None, None)]
    assert path.stem not in Album(a)
    assert all(error is None for _, error in care.verify(a))


def test_merge_refuses_another_interface(tmp_path: Path) -> None:
    """Also the second time, when it is already there."""
    write_episode(tmp_path / "a")
    write_episode(tmp_path / "b", interface=replace(INTERFACE, control_period_s=0.1))
    care.merge([tmp_path / "a"], tmp_path / "both")
    count, (problem,) = care.merge([tmp_path / "b"], tmp_path / "both")
    assert count == 0
    assert "control_period_s: found 0.1, wanted 0.2" in str(problem)


def test_fill_a_ring(tmp_path: Path) -> None:
    """Each episode once, with the label that counts; what was evicted stays away."""
    log = tmp_path / "log"
    paths = [write_episode(log, steps=4, stamp_ns=k)[0] for k in range(3)]
    with VerdictWriter(log) as verdicts:
        verdicts.add(paths[1].stem, Verdict(PERSON, True))
    with open_index(log) as index, RingWriter.create(tmp_path / "ring", INTERFACE, 17) as ring:
        assert fill(ring, index).added == 3
        assert fill(ring, index).added == 0
        assert ring.episodes()[1]["success"].tolist() == [-1, 1, -1]
        paths.append(write_episode(log, steps=4, stamp_ns=3)[0])
        index.refresh()
        assert fill(ring, index).added == 1
        held = [row["id"].decode() for row in ring.episodes()[1]]
        assert held == [path.stem for path in paths[1:]]
        sampler = Sampler([Source(ring, success_share=1.0)])
        sampler.sample(16)
        with VerdictWriter(log) as verdicts:  # of episodes that the ring holds already
            verdicts.add(paths[1].stem, Verdict(PERSON, False))
            verdicts.add(paths[3].stem, Verdict(PERSON, True))
        index.refresh()
        assert fill(ring, index).added == 0
        assert ring.episodes()[1]["success"].tolist() == [0, -1, 1]
        wanted = read_episode(paths[3]).proprio[:-1]
        drawn = sampler.sample(16).proprio.numpy()  # it noticed
        assert all((row == wanted).all(axis=1).any() for row in drawn)


def test_fill_with_what_was_judged(tmp_path: Path) -> None:
    """The verdict is the reward, whatever the log has; a later one changes it where it lies."""
    log = tmp_path / "log"
    paths = [write_episode(log, steps=3, stamp_ns=k, terminated=False)[0] for k in range(3)]
    with VerdictWriter(log) as verdicts:
        verdicts.add(paths[0].stem, Verdict("subtraction", True))
        verdicts.add(paths[1].stem, Verdict("subtraction", False, abstained=True))

    with open_index(log) as index, RingWriter.create(tmp_path / "ring", INTERFACE, 9) as ring:

        def paid() -> dict[str, list[float]]:
            found = {}
            for row in ring.episodes()[1]:
                own = [(int(row["start"]) + k) % ring.capacity for k in range(1, 4)]
                found[row["id"].decode()] = ring.rows["reward"][own].tolist()
            assert ring.episodes()[1]["terminated"].all()
            return found

        assert fill(ring, index, judged=True).added == 1
        assert paid() == {paths[0].stem: [0.0, 1.0, 1.0]}
        for number, good in ((2, True), (1, False), (1, True), (2, False)):
            with VerdictWriter(log) as verdicts:
                verdicts.add(paths[number].stem, Verdict(PERSON, good))
            index.refresh()
            fill(ring, index, judged=True)
        # Two of four frames fit: the first was evicted, and the last lies across the end.
        assert paid() == {paths[2].stem: [0.0, 1.0, 0.0], paths[1].stem: [0.0, 1.0, 1.0]}
        assert fill(ring, index, judged=True).added == 0


def test_fill_in_whatever_order_they_come(tmp_path: Path) -> None:
    """Collectors finish out of the order in which they began; still each episode once."""
    log, added = tmp_path / "log", 0
    with RingWriter.create(tmp_path / "ring", INTERFACE, 20) as ring:
        for finished in range(40):
            write_episode(log, steps=3, stamp_ns=finished ^ 3)
            with open_index(log) as index:
                done = fill(ring, index).added
            assert done == 1
            added += done
        assert added == ring.added == 40
    with RingWriter(tmp_path / "ring") as ring, open_index(log) as index:
        assert fill(ring, index).added == 0  # it remembers what it has evicted


def test_fill_takes_the_newest_that_fit(tmp_path: Path) -> None:
    for k in range(10):
        write_episode(tmp_path / "log", steps=4, stamp_ns=k)
    with (
        open_index(tmp_path / "log") as index,
        RingWriter.create(tmp_path / "ring", INTERFACE, 17) as ring,
    ):
        assert fill(ring, index).added == 3
        assert (ring.added, ring.evicted) == (3, 0)
        assert fill(ring, index).added == 0


def test_a_bad_episode_does_not_hold_up_the_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    rotten, *_ = write_episode(log, stamp_ns=0)
    write_episode(log, steps=30, stamp_ns=1)  # more than the ring holds
    data = bytearray(rotten.read_bytes())
    middle = len(data) // 3  # in some step's chunk: the index does not look there
    data[middle : middle + 4] = b"\xff\x00\xff\x00"
    rotten.write_bytes(bytes(data))
    write_episode(log, steps=3, stamp_ns=2)
    with open_index(log) as index, RingWriter.create(tmp_path / "ring", INTERFACE, 20) as ring:
        assert index.problems == []
        done = fill(ring, index)
        assert done.added == 1
        assert [type(problem) for problem in done.problems] == [DamagedError, ExperienceError]
        assert "found an episode of 31 frames, wanted at most 20" in str(done.problems[1])
        care_fixed = list(care.repair_all(log))
        assert [error for *_, error in care_fixed] == [None]
        index.refresh()
        assert fill(ring, index).added == 1


def test_a_fill_cut_short_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk in the middle: the next time the newest are still the ones that count."""
    for k in range(10):
        write_episode(tmp_path / "log", steps=4, stamp_ns=k, episode_id=f"ep{k}")
    store = RingWriter._store
    calls = iter(range(100))

    def full(self: RingWriter, *arguments: Any) -> None:
        if next(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        store(self, *arguments)

    monkeypatch.setattr(RingWriter, "_store", full)
    with (
        open_index(tmp_path / "log") as index,
        RingWriter.create(tmp_path / "ring", INTERFACE, 25) as ring,
    ):
        with pytest.raises(StorageError, match="disk is full"):
            fill(ring, index)
        assert fill(ring, index).added == 2
        held = [row["id"].decode() for row in ring.episodes()[1]]
        assert held == ["ep5", "ep6", "ep7", "ep8", "ep9"]


def test_what_cannot_be_read_takes_no_room(tmp_path: Path) -> None:
    log = tmp_path / "log"
    paths = [write_episode(log, steps=4, stamp_ns=k)[0] for k in range(7)]
    for path in paths[3:]:
        data = bytearray(path.read_bytes())
        data[len(data) // 3 : len(data) // 3 + 4] = b"\xff\x00\xff\x00"
        path.write_bytes(bytes(data))
    with open_index(log) as index, RingWriter.create(tmp_path / "ring", INTERFACE, 15) as ring:
        assert fill(ring, index).added == 3
        held = [row["id"].decode() for row in ring.episodes()[1]]
        assert held == [path.stem for path in paths[:3]]


def test_what_was_seen_survives_kills(tmp_path: Path) -> None:
    for k in range(4):
        write_episode(tmp_path / "log", steps=4, stamp_ns=k, episode_id=f"ep{k}")
    path = tmp_path / "ring"
    with open_index(tmp_path / "log") as index:
        with RingWriter.create(path, INTERFACE, 10) as ring:
            assert fill(ring, index).added == 2
        (path / "seen").write_text((path / "seen").read_text()[:-2])  # torn in its last line
        for k in range(4, 7):
            write_episode(tmp_path / "log", steps=4, stamp_ns=k, episode_id=f"ep{k}")
            index.refresh()
            with RingWriter(path) as ring:
                assert fill(ring, index).added == 1
    with RingWriter(path) as ring:
        assert ring.seen >= {f"ep{k}" for k in range(7)}


INDEXER = """
import sys
from pathlib import Path
from policy.experience.log.index import Index
sys.stdin.readline()
print(len(Index(Path(sys.argv[1]))))
"""


def test_processes_share_an_index(tmp_path: Path) -> None:
    path, *_ = write_episode(tmp_path / "one")
    log = tmp_path / "log"
    log.mkdir()
    for number in range(300):
        (log / f"{number:05d}.mcap").hardlink_to(path)
    others = [
        subprocess.Popen(
            [sys.executable, "-c", INDEXER, str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = [other.communicate("go\n", timeout=60) for other in others if other.stdin]
    assert [out for out, _ in told] == ["300\n"] * 4, [err for _, err in told]
    with open_index(log) as first, open_index(log) as second:
        begun = iter(first)
        next(begun)  # a reader half way through keeps nobody from writing
        write_episode(log)
        assert second.refresh() == 1


def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    write_episode(tmp_path)
    base = sqlite3.connect(tmp_path / FILE)
    base.executescript("CREATE TABLE files (file TEXT, other INT); PRAGMA user_version = 99;")
    base.close()
    with open_index(tmp_path) as index:
        assert len(index) == 1


def test_record_a_gymnasium_environment(tmp_path: Path) -> None:
    """In a process of its own: OpenGL belongs to the process that first draws."""
    command = [sys.executable, "-m", "policy.experience", "record", str(tmp_path)]
    command += ["--env", "Pusher-v5", "--episodes", "1", "--size", "32x24", "--seed", "3"]
    environment = {"MUJOCO_GL": "egl", **os.environ}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with open_index(tmp_path) as index:
        (entry,) = index
    assert (entry.steps, entry.terminated, entry.seed) == (100, False, 3)
    assert entry.task == "Pusher-v5"
    episode = read_episode(entry.path)
    assert episode.images["front"].shape == (101, 24, 32, 3)
    assert episode.images["front"].std() > 1  # something is to be seen
    assert set(np.diff(episode.capture_ns)) == {50_000_000}
    assert (episode.executed[1:] != 0).any()
    assert np.abs(np.diff(episode.proprio, axis=0)).max() > 0


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    path, *_ = write_episode(log, task="pick", stamp_ns=1)
    write_episode(log, terminated=False, stamp_ns=2)
    assert run("list", log) == 0
    assert "2 episodes, 10 actions" in capsys.readouterr().out
    assert run("label", log, path.stem, "success") == 0
    assert run("label", log, "nobody", "success") == 1
    assert "found 'nobody'" in capsys.readouterr().err
    assert run("inspect", path, "--sheet", tmp_path / "sheet.png") == 0
    told = capsys.readouterr().out
    assert "label success" in told
    assert "executed dx:" in told
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[0] > 2 * 160  # two cameras
    assert run("verify", log) == 0
    assert "3 of 3 files are whole" in capsys.readouterr().out
    assert run("replay", log, tmp_path / "ring", "--batch", 8) == 0
    assert "2 episodes added, 12 of 12 frames held" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-3000])
    assert run("verify", log) == 1
    assert "damaged or torn" in capsys.readouterr().err
    assert run("repair", log) == 0
    assert "1 files needed repair" in capsys.readouterr().out
    assert run("verify", log) == 0
    assert run("merge", tmp_path / "other", log) == 0
    assert run("replay", tmp_path / "other", tmp_path / "small", "--capacity", 1) == 1
    assert "capacity: found 1, wanted 2 frames or more" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run("replay", tmp_path / "empty", tmp_path / "ring2") == 1
    assert "found no episode" in capsys.readouterr().err
    assert run("inspect", log, "--sheet", path / "below/a/file.png") == 1
    assert run("list", tmp_path / "nowhere") == 1
    assert "found no such directory" in capsys.readouterr().err


def test_message_definitions_are_the_colcon_package(tmp_path: Path) -> None:
    """CMakeLists.txt builds exactly the files we read."""
    listed = (messages.DEFINITIONS.parent / "CMakeLists.txt").read_text()
    for file in messages.DEFINITIONS.glob("*.msg"):
        assert f'"msg/{file.name}"' in listed

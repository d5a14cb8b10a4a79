"""Torn, rotten, foreign and mislabelled files: named, repaired where possible, never believed."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from factories import make_action, make_info, make_observation, write_episode
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, Writer

from policy.contract import ContractError, Invalid, encode
from policy.experience.episode import Verdict
from policy.experience.errors import BusyError, DamagedError, ExperienceError, ForeignError
from policy.experience.log import care, messages, wire
from policy.experience.log.index import FILE, open_index
from policy.experience.log.logfile import LogFile
from policy.experience.log.reader import read_episode, read_summary
from policy.experience.log.repair import repair, unfinished
from policy.experience.log.writer import EpisodeWriter


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_episode(tmp_path_factory.mktemp("log"), steps=6)[0].read_bytes()


def test_cut_anywhere(tmp_path: Path, whole: bytes) -> None:
    """Whatever is left of a file, repair keeps the complete steps of it, in order."""
    reference_path = tmp_path / "whole.mcap"
    reference_path.write_bytes(whole)
    reference = read_episode(reference_path)
    kept = []
    for size in range(0, len(whole), 97):
        torn = tmp_path / "torn.mcap.part"
        torn.write_bytes(whole[:size])
        repaired = repair(torn)
        assert not torn.exists()
        if repaired is None:
            kept.append(0)
            continue
        episode = read_episode(repaired)
        steps = len(episode) + 1
        kept.append(steps)
        assert episode.recovered
        np.testing.assert_array_equal(episode.images["front"], reference.images["front"][:steps])
        np.testing.assert_array_equal(episode.executed, reference.executed[:steps])
        assert episode.terminated == (steps == 7)
        repaired.unlink()
    assert kept == sorted(kept)
    assert set(kept) == set(range(8))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_flipped_byte_is_never_believed(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Either an error, or the very episode: a byte outside the checksummed chunks (an index, a
    statistic) does not change what is read."""
    position = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    directory = tmp_path_factory.mktemp("rot")
    good, bad = directory / "good.mcap", directory / "bad.mcap"
    good.write_bytes(whole)
    bad.write_bytes(whole[:position] + bytes([whole[position] ^ flip]) + whole[position + 1 :])
    try:
        episode = read_episode(bad)
    except ExperienceError:
        return
    reference = read_episode(good)
    np.testing.assert_array_equal(episode.images["front"], reference.images["front"])
    np.testing.assert_array_equal(episode.executed, reference.executed)
    assert episode.info == reference.info


def test_truncated_file_is_named(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "torn.mcap"
    path.write_bytes(whole[: len(whole) // 2])
    for read in (read_episode, read_summary):
        with pytest.raises(DamagedError, match=r"torn\.mcap: damaged or torn.*repair"):
            read(path)
    with open_index(tmp_path) as index:
        assert len(index) == 0
        assert "torn.mcap" in index.problems[0]
    (old, new, error), *rest = care.repair_all(tmp_path)
    assert (old, error, rest) == (path, None, [])
    assert new == path
    assert len(read_episode(path)) > 0
    assert (tmp_path / "torn.mcap.damaged").read_bytes() == whole[: len(whole) // 2]


def test_foreign_bag(tmp_path: Path) -> None:
    """A good bag, but not of ours."""
    path = tmp_path / "foreign.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2")
        text = messages.schema_text("builtin_interfaces/msg/Time").encode()
        schema = writer.register_schema("builtin_interfaces/msg/Time", "ros2msg", text)
        channel = writer.register_channel("/chatter", "cdr", schema)
        stamp = messages.serialize("builtin_interfaces/msg/Time", messages.time_message(1))
        writer.add_message(channel, 1, stamp, 1)
        writer.finish()
    for read in (read_episode, read_summary):
        with pytest.raises(ForeignError, match=r"foreign\.mcap: found no /episode/info"):
            read(path)
    before = path.read_bytes()
    assert list(care.repair_all(tmp_path)) == []  # not ours: not touched
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("std_msgs/msg/Header", None, "found type std_msgs/msg/Header, wanted regrasp_msgs"),
        (messages.INFO, ("int64 seed\n", ""), "found fields nothing, lacks int64 seed"),
        (messages.INFO, ("int64 seed", "int64 grain"), "fields int64 grain, lacks int64 seed"),
    ],
)
def test_wrong_schema(
    tmp_path: Path, kind: str, change: tuple[str, str] | None, message: str
) -> None:
    path = tmp_path / "other.mcap"
    text = messages.schema_text(kind)
    if change:
        text = text.replace(*change)
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2")
        schema = writer.register_schema(kind, "ros2msg", text.encode())
        channel = writer.register_channel("/episode/info", "cdr", schema)
        writer.add_message(channel, 1, b"\0\1\0\0", 1)
        writer.finish()
    for read in (read_episode, read_summary):
        with pytest.raises(ForeignError, match=message):
            read(path)


def test_a_live_writer_is_left_alone(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, make_info()) as writer:
        writer.reset(make_observation(np.random.default_rng(0)))
        assert unfinished(tmp_path) == []
        with pytest.raises(BusyError, match="another process is writing"):
            repair(writer.part)
    assert read_episode(writer.path).info == writer.info


def test_broken_index_is_only_a_cache(tmp_path: Path) -> None:
    write_episode(tmp_path)
    (tmp_path / FILE).write_bytes(b"not a database, not at all" * 100)
    with (
        pytest.raises(ExperienceError, match="delete the file, it is a cache"),
        open_index(tmp_path),
    ):
        pass
    (tmp_path / FILE).unlink()
    with open_index(tmp_path) as index:
        assert len(index) == 1


def test_every_byte_of_the_index_at_the_end_counts(tmp_path: Path) -> None:
    """A flip there may not hide a verdict, nor an episode."""
    path = tmp_path / "judged.mcap"
    with EpisodeWriter(tmp_path, make_info(episode_id="judged")) as writer:
        writer.reset(make_observation(np.random.default_rng(0)))
        writer.verdict(Verdict("person", True))
    whole = path.read_bytes()
    (start,) = struct.unpack_from("<Q", whole, len(whole) - 28)
    for position in range(start, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            summary = read_summary(path)
        except ExperienceError:
            continue
        assert summary.info is not None
        assert summary.end is not None
        assert len(summary.verdicts) == 1


def test_a_verdict_behind_a_bad_chunk_survives_repair(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    with EpisodeWriter(tmp_path, make_info(), compression="none") as writer:
        writer.reset(make_observation(random))
        for k in range(5):
            frames = make_observation(random)
            writer.step(make_action(random, k), frames)
            if k == 2:
                marked = frames.images["front"].tobytes()
        writer.verdict(Verdict("person", True))
    data = bytearray(writer.path.read_bytes())
    data[data.index(marked)] ^= 1
    writer.path.write_bytes(bytes(data))
    for again in range(2):
        ((old, new, error),) = care.repair_all(tmp_path)
        assert (old, new, error) == (writer.path, writer.path, None)
        episode = read_episode(writer.path)
        assert (len(episode), episode.recovered, episode.truncated) == (2, True, True)
        assert episode.success is True
        if again == 0:  # rot strikes twice; the first original is not overwritten
            writer.path.write_bytes(bytes(data))
    assert len(list(tmp_path.glob("*.damaged*"))) == 2


def test_repair_may_be_killed_and_called_again(tmp_path: Path) -> None:
    """At each of its steps: after the rewriting, after setting aside, before the last removal."""
    path, *_ = write_episode(tmp_path / "made")
    whole, log = path.read_bytes(), tmp_path / "log"
    workshop, part, done = log / ".repair", log / f"{path.stem}.mcap.part", log / path.name
    workshop.mkdir(parents=True)

    (workshop / path.name).write_bytes(whole)
    (workshop / "half.mcap.part").write_bytes(whole[:500])
    part.write_bytes(whole[: len(whole) // 2])
    assert [error for *_, error in care.repair_all(log)] == [None]
    assert not read_episode(done).recovered  # the better one that lay ready
    assert sorted(log.iterdir()) == sorted([done, workshop])

    part.write_bytes(whole)  # killed between finishing and renaming: it is the whole episode
    done.unlink()
    list(care.repair_all(log))
    assert done.read_bytes() == whole
    assert not part.exists()


def test_a_name_is_there_at_every_moment_of_a_repair(tmp_path: Path) -> None:
    """Killed at its last rename, repair leaves the damaged file where it was."""
    path, *_ = write_episode(tmp_path, steps=6)
    other, *_ = write_episode(tmp_path, steps=2)
    path.write_bytes(path.read_bytes()[:-3000])
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from policy.experience.log import care\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "list(care.repair_all(Path(sys.argv[1])))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.exists()
    list(care.repair_all(tmp_path))
    assert [error for _, error in care.verify(tmp_path)] == [None, None]
    assert read_episode(path).recovered
    path.unlink()  # as an older repair could leave it: only the workshop has it
    copied = tmp_path / ".repair" / path.name
    copied.write_bytes(other.read_bytes())
    list(care.repair_all(tmp_path))
    assert path.exists()


def test_damage_behind_the_data_costs_nothing(tmp_path: Path) -> None:
    """The summary repeats schemas and channels; a flip there leaves every step intact."""
    path, *_ = write_episode(tmp_path, steps=2)
    whole = path.read_bytes()
    (start,) = struct.unpack_from("<Q", whole, len(whole) - 28)
    at = whole.index(b"regrasp_msgs", start)
    path.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    ((_, error),) = care.verify(tmp_path)
    assert isinstance(error, DamagedError)
    ((_, new, problem),) = care.repair_all(tmp_path)
    assert problem is None
    assert new == path
    assert len(read_episode(path)) == 2


def test_one_bad_file_does_not_hold_up_repair(tmp_path: Path) -> None:
    """Nor does an id in a file that somebody else wrote become a path."""
    path, *_ = write_episode(tmp_path / "made", steps=3)
    message = wire.info_message(read_episode(path).info)
    message.episode_id = "../escaped"
    log = tmp_path / "log"
    evil = LogFile(log, "a")
    evil.write("/episode/info", messages.INFO, message, 0)
    evil.commit(sync=True)
    evil.part.close()
    (log / "b.mcap.part").write_bytes(path.read_bytes()[:-3000])
    results = {old.name: (new, error) for old, new, error in care.repair_all(log)}
    assert results["b.mcap.part"] == (log / "b.mcap", None)
    assert isinstance(results["a.mcap.part"][1], ForeignError)
    assert (log / "a.mcap.part").exists()
    assert not list(tmp_path.glob("escaped*"))


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_bomb_is_not_unpacked(tmp_path: Path, compression: CompressionType) -> None:
    """Half a gigabyte of zeros in a small file."""
    text = messages.schema_text(messages.INFO).encode()
    path = tmp_path / "bomb.mcap"
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=1 << 40, compression=compression)
        writer.start(profile="ros2")
        schema = writer.register_schema(messages.INFO, "ros2msg", text)
        channel = writer.register_channel("/episode/info", "cdr", schema)
        writer.add_message(channel, 1, bytes(1 << 29), 1)
        writer.finish()
    assert path.stat().st_size < 5_000_000
    for read in (read_episode, read_summary):
        with pytest.raises(DamagedError, match=r"a chunk of .* bytes"):
            read(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "not json", "[1, 2]", '{"control_period_s": 1}'])
def test_hostile_interfaces_are_named_with_their_file(tmp_path: Path, text: str) -> None:
    path, *_ = write_episode(tmp_path / "made")
    message = wire.info_message(read_episode(path).info)
    message.interface = text
    log = tmp_path / "log"
    file = LogFile(log, "hostile")
    file.write("/episode/info", messages.INFO, message, 0)
    file.finish()
    with open_index(log) as index:
        assert len(index) == 0
        (problem,) = index.problems
    assert "hostile.mcap" in problem
    assert "interface" in problem


def test_an_action_of_another_length_is_refused(tmp_path: Path) -> None:
    observation = make_observation(np.random.default_rng(0))
    info = make_info()
    file = LogFile(tmp_path, info.episode_id)
    file.write("/episode/info", messages.INFO, wire.info_message(info), 0)
    for camera, frame in observation.images.items():
        image = wire.image_message(camera, frame, 0)
        file.write(messages.camera_topic(camera), messages.IMAGE, image, 0)
    action = make_action(np.random.default_rng(0), 0, executed=np.zeros(1, np.float32))
    file.write("/episode/step", messages.STEP, wire.step_message(0, observation, action), 0)
    path = file.finish()
    with pytest.raises(
        ForeignError, match=r"step 0: executed: found 'float32 \(1,\)', wanted float32"
    ):
        read_episode(path)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", ".hidden", "", "a" * 35, "a/b"])
def test_an_episode_cannot_name_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    """The id in a file that somebody else wrote becomes a file name when it is repaired."""
    with pytest.raises(Invalid, match=r"episode_id: found .*wanted 1 to 34 letters"):
        make_info(episode_id=name)


def test_interface_that_is_no_interface(tmp_path: Path) -> None:
    """The JSON inside the messages is decoded as strictly as any file."""
    path, *_ = write_episode(tmp_path)
    info = read_episode(path).info
    message = wire.info_message(info)
    broken = encode(info.interface)
    broken["control_period_s"] = "fast"
    message.interface = json.dumps(broken)
    with pytest.raises(ContractError, match="control_period_s: found 'fast'"):
        wire.info_of(message)

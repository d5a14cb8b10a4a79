"""Torn, rotten, foreign and mislabelled files: named, repaired where possible, never believed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from factories import make_info, make_observation, write_episode
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import Writer

from policy.contract import ContractError, Invalid, encode
from policy.experience import care, messages, wire
from policy.experience.errors import BusyError, DamagedError, ExperienceError, ForeignError
from policy.experience.index import FILE, open_index
from policy.experience.reader import read_episode, read_summary
from policy.experience.repair import repair, unfinished
from policy.experience.writer import EpisodeWriter


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
    (old, new), *rest = care.repair_all(tmp_path)
    assert (old, rest) == (path, [])
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
            repair(writer._file.path)
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

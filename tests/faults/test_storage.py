"""Full disks, read-only directories: a clear error, and nothing lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from disks import mounted
from factories import (
    TINY,
    counting_episode,
    make_action,
    make_info,
    make_observation,
    write_episode,
)

from policy.experience.errors import StorageError
from policy.experience.log.index import open_index
from policy.experience.log.reader import read_episode
from policy.experience.log.repair import repair
from policy.experience.log.writer import EpisodeWriter
from policy.experience.replay.ring import Ring
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Sampler, Source


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    if not mounted(disk, "size=256k"):
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A log of one episode that nobody may write to; root needs a read-only file system."""
    directory = tmp_path / "log"
    directory.mkdir()
    root = os.geteuid() == 0
    if root and not mounted(directory, "size=1m"):
        pytest.skip("mounting a small tmpfs needs root")
    write_episode(directory)
    if root:
        subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
    else:
        directory.chmod(0o555)
    yield directory
    if root:
        subprocess.run(["umount", "-l", str(directory)], check=True)
    else:
        directory.chmod(0o755)


def test_log_on_a_full_disk(small_disk: Path) -> None:
    random = np.random.default_rng(0)
    writer = EpisodeWriter(small_disk, make_info(), compression="none")
    observations = [make_observation(random, k) for k in range(1000)]
    writer.reset(observations[0])

    def write_on() -> None:
        for k, observation in enumerate(observations[1:]):
            writer.step(make_action(random, k), observation)

    with pytest.raises(StorageError, match=r"append to .*the disk is full .* MB free.*free some"):
        write_on()
    durable = writer.durable_steps
    assert durable > 50

    # The user makes room.
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    finished = repair(writer.part)
    assert finished is not None
    episode = read_episode(finished)
    assert len(episode) + 1 == durable
    for k in range(durable):
        np.testing.assert_array_equal(episode.images["front"][k], observations[k].images["front"])


def test_a_full_disk_can_still_be_read(small_disk: Path) -> None:
    path, *_ = write_episode(small_disk)
    with pytest.raises(OSError, match="No space left"), (small_disk / "ballast").open("wb") as file:
        file.write(bytes(1 << 20))
    with open_index(small_disk) as index:  # it has no room for its cache
        assert [entry.path for entry in index] == [path]


def test_replay_on_a_full_disk(small_disk: Path) -> None:
    """Sparse files promise more than the disk holds; running out is an error, not a bus fault."""
    with RingWriter.create(small_disk / "ring", TINY, 1_000_000) as ring:
        stored = []

        def add_on() -> None:
            for number in range(100_000):
                ring.add(counting_episode(number, 99))
                stored.append(number)

        with pytest.raises(StorageError, match=r"add an episode to .*the disk is full"):
            add_on()
        assert ring.added == len(stored) > 10
        batch = Sampler([Source(ring)]).sample(256)
        assert (batch.action[:, 0] % 100 - 1 == batch.proprio[:, 0]).all()
    assert Ring(small_disk / "ring").added == len(stored)


def test_read_only_directory(read_only: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"create .*no permission to write.*make it writable"):
        EpisodeWriter(read_only, make_info())
    with pytest.raises(StorageError, match="no permission to write"):
        RingWriter.create(read_only / "ring", TINY, 10)
    with open_index(read_only) as index:  # reading needs no permission to write
        assert len(index) == 1
        assert read_episode(next(iter(index)).path).terminated

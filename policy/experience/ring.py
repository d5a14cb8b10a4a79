"""The replay's storage: a memory-mapped ring of uint8 frames, each stored once.

One directory, one writer, any number of reader processes:
    meta.json       what is stored: the interface and the capacity
    frames.<camera> capacity x H x W x C, raw
    rows            per frame: proprio, the action that led to it, reward, who drove
    episodes        per episode: where its frames are, its length, how it ended
    head            how many episodes were evicted and added so far, and how often labels changed
    lock            held by the writer

Episodes are added whole and evicted whole, oldest first. The writer first announces what it
evicts, then overwrites, then announces what it added; a reader checks after copying that nothing
it copied was evicted meanwhile (`Ring.evicted`). Data goes in through write calls, not through the
mapping, so that a full disk is an error and not a bus fault, and a kill leaves the last state.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Interface, encode
from policy.contract.files import write_atomic

from .episode import Episode
from .errors import BusyError, DamagedError, ExperienceError, ForeignError, storage_error
from .ringfiles import (
    EPISODE,
    FORMAT,
    Meta,
    WriterLock,
    check_shutdown,
    label_of,
    read_meta,
    row_dtype,
    write_all,
)
from .warm import warm


class Ring:
    """Open with `Ring.create`, `Ring.write` (one process) or `Ring.read` (any number)."""

    def __init__(self, path: Path, meta: Meta, lock: WriterLock | None) -> None:
        self.path, self.interface, self.capacity = path, meta.interface, meta.capacity
        self._lock = lock
        self._slots = max(self.capacity // 2, 1)  # the shortest episode has two frames
        self._files: dict[str, int] = {}
        self._head = self._map("head", np.dtype("<i8"), (3,))
        self.episodes_table = self._map("episodes", EPISODE, (self._slots,))
        self.rows = self._map("rows", row_dtype(self.interface), (self.capacity,))
        self.frames = {
            image.name: self._map(
                f"frames.{image.name}", np.dtype("u1"), (self.capacity, *image.shape)
            )
            for image in self.interface.observation.images
        }

    @classmethod
    def create(cls, path: Path, interface: Interface, capacity: int) -> Ring:
        """A new, empty ring of `capacity` frames, opened for writing. Its files are sparse: they
        take up disk space as they fill."""
        if (path / "meta.json").exists():
            raise BusyError(
                f"{path}: found a replay there, wanted a new directory; open or delete it"
            )
        meta = Meta(FORMAT, capacity, interface)
        try:
            path.mkdir(parents=True, exist_ok=True)
            write_atomic(path / "meta.json", json.dumps(encode(meta)).encode())
        except OSError as error:
            raise storage_error("create", path, error) from error
        return cls.write(path)

    @classmethod
    def write(cls, path: Path) -> Ring:
        """Open as the only writer."""
        meta = read_meta(path)
        lock = WriterLock(path)
        try:
            return cls(path, meta, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def read(cls, path: Path) -> Ring:
        meta = read_meta(path)
        check_shutdown(path)
        return cls(path, meta, None)

    @property
    def evicted(self) -> int:
        """Episodes with a smaller ordinal are gone, or about to be overwritten."""
        return int(self._head[0])

    @property
    def added(self) -> int:
        """Episodes with a smaller ordinal have been written whole."""
        return int(self._head[1])

    @property
    def state(self) -> tuple[int, int, int]:
        """Differs whenever `episodes` does."""
        evicted, added, labelled = self._head.tolist()
        return evicted, added, labelled

    def __len__(self) -> int:
        """Frames held."""
        _, table = self.episodes()
        return int((table["length"] + 1).sum())

    def episodes(self) -> tuple[int, npt.NDArray[Any]]:
        """A copy of the table of the episodes held, oldest first, and the first one's ordinal."""
        while True:
            evicted, added = self.evicted, self.added
            table = self.episodes_table[np.arange(evicted, added) % self._slots]
            first = self.evicted  # rows before it may have been overwritten while we copied
            if first < added or evicted >= added:
                return first, table[first - evicted :]

    def add(self, episode: Episode) -> int:
        """Store an episode, evicting the oldest ones it displaces. Returns its transitions."""
        self._require_writer()
        self._check(episode)
        frames = len(episode) + 1
        if frames < 2:
            return 0  # a reset without an action: nothing to learn from
        evicted, added, labelled = self.state
        start = 0
        if added:
            newest = self.episodes_table[(added - 1) % self._slots]
            start = int(newest["start"]) + int(newest["length"]) + 1
        while evicted < added and self._start(evicted) < start + frames - self.capacity:
            evicted += 1
        rows = np.empty(frames, self.rows.dtype)
        rows["proprio"], rows["action"] = episode.proprio, episode.executed
        rows["reward"], rows["driver"] = episode.reward, episode.driver
        label, name = label_of(episode.success), episode.info.episode_id.encode()
        entry = (start, len(episode), episode.terminated, label, name)
        try:
            self._announce(evicted, added, labelled)
            self._put("rows", start, rows)
            for camera, images in episode.images.items():
                self._put(f"frames.{camera}", start, images)
            table = np.array([entry], EPISODE)
            write_all(self._files["episodes"], table, added % self._slots * EPISODE.itemsize)
            self._announce(evicted, added + 1, labelled)
        except OSError as error:
            raise storage_error("add an episode to", self.path, error) from error
        return len(episode)

    def label(self, ordinal: int, success: bool | None) -> None:
        """Change what is known of an episode held: a verdict came late, or a better one."""
        self._require_writer()
        label = np.array([label_of(success)], EPISODE["success"])
        slot = ordinal % self._slots * EPISODE.itemsize
        offset: int = EPISODE.fields["success"][1]  # type: ignore[index]
        try:
            write_all(self._files["episodes"], label, slot + offset)
            self._announce(self.evicted, self.added, self.state[2] + 1)
        except OSError as error:
            raise storage_error("label an episode in", self.path, error) from error

    def warm(self) -> bool:
        """Map the frames held ahead of sampling; see warm.py. About 0.05 s a gigabyte."""
        filled = self.capacity if self.evicted else len(self)
        return all(warm(frames, filled) for frames in self.frames.values())

    def close(self) -> None:
        """Flush, and say that this was a clean end. Mapped arrays stay valid while referenced."""
        if self._lock is not None:
            for file in self._files.values():
                os.fsync(file)
            self._lock.release()
            self._lock = None
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def __enter__(self) -> Ring:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, ordinal: int) -> int:
        return int(self.episodes_table[ordinal % self._slots]["start"])

    def _require_writer(self) -> None:
        if self._lock is None:
            raise ExperienceError(
                f"{self.path}: opened for reading, wanted Ring.write to change it"
            )

    def _check(self, episode: Episode) -> None:
        ours, theirs = self.interface, episode.info.interface
        pairs = {
            "proprio": (theirs.observation.proprio, ours.observation.proprio),
            "action": (theirs.action, ours.action),
        }
        for field, (found, wanted) in pairs.items():
            if found != wanted:
                raise ForeignError(
                    f"{self.path}: {field}: found {found}, wanted {wanted}; use another ring"
                )
        for image in ours.observation.images:
            stack = episode.images.get(image.name)
            shape = None if stack is None else stack.shape[1:]
            if shape != image.shape:
                raise ForeignError(
                    f"{self.path}: images.{image.name}: found {shape}, wanted {image.shape}; "
                    "bring the frames to the ring's size first"
                )
        if len(episode) + 1 > self.capacity:
            raise ExperienceError(
                f"{self.path}: found an episode of {len(episode) + 1} frames, wanted at most "
                f"{self.capacity}; create a larger ring"
            )

    def _map(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Map a file of exactly this size; the writer makes it so."""
        size = dtype.itemsize * int(np.prod(shape))
        file = self.path / name
        try:
            flags = os.O_RDONLY if self._lock is None else os.O_RDWR | os.O_CREAT
            descriptor = os.open(file, flags, 0o644)
            self._files[name] = descriptor
            found = os.fstat(descriptor).st_size
            if found == 0 and self._lock is not None:
                os.ftruncate(descriptor, size)
                found = size
        except OSError as error:
            raise storage_error("open", file, error) from error
        if found != size:
            raise DamagedError(
                f"{file}: found {found} bytes, wanted {size}; refill it from the log"
            )
        return np.asarray(np.memmap(file, dtype, "r", shape=shape))

    def _put(self, name: str, start: int, values: npt.NDArray[Any]) -> None:
        """Write consecutive elements from sequence number `start`, in two parts at the wrap."""
        size = values.nbytes // len(values)
        first = start % self.capacity
        room = self.capacity - first
        write_all(self._files[name], values[:room], first * size)
        if len(values) > room:
            write_all(self._files[name], values[room:], 0)

    def _announce(self, evicted: int, added: int, labelled: int) -> None:
        write_all(self._files["head"], np.array([evicted, added, labelled], "<i8"), 0)

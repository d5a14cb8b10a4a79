"""The one process that writes a replay ring.

Data goes in through write calls, not through the mapping, so that a full disk is an error and not
a bus fault, and a kill leaves the last announced state.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Interface, differences, encode
from policy.contract.files import write_atomic

from ..episode import Episode
from ..errors import BusyError, ExperienceError, ForeignError, storage_error
from .ring import Ring
from .ringfiles import (
    EPISODE,
    FORMAT,
    HEAD,
    Meta,
    WriterLock,
    check_shutdown,
    label_of,
    made,
    read_meta,
    row_dtype,
    write_all,
)


class RingWriter(Ring):
    """A ring opened for writing (and reading). A second writer is refused."""

    def __init__(self, path: Path) -> None:
        self._open(path, read_meta(path))

    @classmethod
    def create(cls, path: Path, interface: Interface, capacity: int) -> RingWriter:
        """A new, empty ring of `capacity` frames. Its files are sparse: they take up disk space as
        they fill."""
        if (path / "meta.json").exists():
            raise BusyError(
                f"{path}: found a replay there, wanted a new directory; open or delete it"
            )
        meta = Meta(FORMAT, capacity, interface)
        ring = cls.__new__(cls)
        try:
            path.mkdir(parents=True, exist_ok=True)
            ring._open(path, meta)
        except OSError as error:
            raise storage_error("create", path, error) from error
        try:  # last, so that who finds it finds everything
            write_atomic(path / "meta.json", json.dumps(encode(meta)).encode())
        except OSError as error:
            ring._release()
            raise storage_error("create", path, error) from error
        return ring

    def _open(self, path: Path, meta: Meta) -> None:
        check_shutdown(path)
        self._lock = WriterLock(path)
        self._files: dict[str, int] = {}
        self._seen: set[str] | None = None
        slots = max(meta.capacity // 2, 1)
        images = meta.interface.observation.images
        sizes = {
            "head": HEAD.itemsize * 3,
            "episodes": EPISODE.itemsize * slots,
            "rows": row_dtype(meta.interface).itemsize * meta.capacity,
            **{f"frames.{i.name}": int(np.prod(i.shape)) * meta.capacity for i in images},
        }
        try:
            for name, size in sizes.items():
                self._files[name] = made(path / name, size)
            self._attach(path, meta)
        except BaseException:
            self._release()
            raise

    @property
    def seen(self) -> set[str]:
        """Episodes that need not be offered again, by id."""
        if self._seen is None:
            file = self.path / "seen"
            self._seen = set(file.read_text().split()) if file.exists() else set()
            # A kill may have come between an episode and its line here.
            self.pass_over(row["id"].decode() for row in self.episodes()[1])
        return self._seen

    def pass_over(self, ids: Iterable[str]) -> None:
        """Never mind these episodes: they were here, or will not be."""
        new = [name for name in ids if name not in self.seen]
        if not new:
            return
        try:
            with (self.path / "seen").open("a") as file:
                file.write("\n" + "\n".join(new))  # a torn line spoils none but itself
        except OSError as error:
            raise storage_error("remember episodes in", self.path, error) from error
        self.seen.update(new)

    def add(self, episode: Episode) -> int:
        """Store an episode, evicting the oldest ones it displaces. Returns its transitions."""
        self._check(episode)
        name = episode.info.episode_id
        if len(episode):  # else a reset without an action: nothing to learn from
            entry = (0, len(episode), episode.terminated, label_of(episode.success), name.encode())
            try:
                self._store(episode, np.array([entry], EPISODE))
            except OSError as error:
                raise storage_error("add an episode to", self.path, error) from error
        self.pass_over([name])
        return len(episode)

    def label(self, ordinal: int, success: bool | None, reward: float | None = None) -> None:
        """Change what is known of an episode held: a verdict came late, or a better one. With it,
        its last `reward`: before the label, so that after a kill it is done again."""
        if not self.evicted <= ordinal < self.added:
            return  # it was evicted meanwhile: there is nothing left to label
        if reward is not None:
            self._pay(ordinal, reward)
        label = np.array([label_of(success)], EPISODE["success"])
        slot = ordinal % self._slots * EPISODE.itemsize
        offset: int = EPISODE.fields["success"][1]  # type: ignore[index]
        try:
            write_all(self._files["episodes"], label, slot + offset)
            self._announce(self.evicted, self.added, self.state[2] + 1)
        except OSError as error:
            raise storage_error("label an episode in", self.path, error) from error

    def _pay(self, ordinal: int, reward: float) -> None:
        entry, dtype = self._table[ordinal % self._slots], self.rows.dtype
        row = (int(entry["start"]) + int(entry["length"])) % self.capacity
        offset: int = dtype.fields["reward"][1]  # type: ignore[index]
        try:
            value = np.array([reward], dtype["reward"])
            write_all(self._files["rows"], value, row * dtype.itemsize + offset)
        except OSError as error:
            raise storage_error("change a reward in", self.path, error) from error

    def close(self) -> None:
        """Flush, and say that this was a clean end."""
        if self._files:
            for file in self._files.values():
                os.fsync(file)
            if (self.path / "seen").exists():
                with (self.path / "seen").open("rb") as seen:
                    os.fsync(seen.fileno())
            self._release()

    def _release(self) -> None:
        self._lock.release()
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _store(self, episode: Episode, entry: npt.NDArray[Any]) -> None:
        evicted, added, labelled = self.state
        start, frames = 0, len(episode) + 1
        if added:
            newest = self._table[(added - 1) % self._slots]
            start = int(newest["start"]) + int(newest["length"]) + 1
        while evicted < added:
            oldest = int(self._table[evicted % self._slots]["start"])
            if oldest >= start + frames - self.capacity:
                break
            evicted += 1
        rows = np.empty(frames, self.rows.dtype)
        rows["proprio"], rows["action"] = episode.proprio, episode.executed
        rows["reward"], rows["driver"] = episode.reward, episode.driver
        entry["start"] = start
        self._announce(evicted, added, labelled)
        self._put("rows", start, rows)
        for camera in self.frames:
            self._put(f"frames.{camera}", start, episode.images[camera])
        write_all(self._files["episodes"], entry, added % self._slots * EPISODE.itemsize)
        self._announce(evicted, added + 1, labelled)

    def _check(self, episode: Episode) -> None:
        """What one ring holds is alike; only the cameras may differ, in number and in size, and
        the window, which says how far a batch looks back."""
        ours, theirs = self.interface, episode.info.interface
        images, window = ours.observation.images, ours.observation.action_window
        like = replace(theirs.observation, images=images, action_window=window)
        remedy = "use another ring"
        if differing := differences(replace(theirs, observation=like), ours, remedy):
            told = "; ".join(map(str, differing))
            raise ForeignError(f"{self.path}: episode {episode.info.episode_id}: {told}")
        for image in images:
            stack = episode.images.get(image.name)
            wanted = f"uint8 {(len(episode) + 1, *image.shape)}"
            found = "nothing" if stack is None else f"{stack.dtype} {stack.shape}"
            if found != wanted:
                raise ForeignError(
                    f"{self.path}: images.{image.name}: found {found}, wanted {wanted}; "
                    "bring the frames to the ring's size first, as uint8"
                )
        if len(episode) + 1 > self.capacity:
            raise ExperienceError(
                f"{self.path}: found an episode of {len(episode) + 1} frames, wanted at most "
                f"{self.capacity}; create a larger ring"
            )

    def _put(self, name: str, start: int, values: npt.NDArray[Any]) -> None:
        """Write consecutive elements from sequence number `start`, in two parts at the wrap."""
        size = values.nbytes // len(values)
        first = start % self.capacity
        room = self.capacity - first
        write_all(self._files[name], values[:room], first * size)
        if len(values) > room:
            write_all(self._files[name], values[room:], 0)

    def _announce(self, evicted: int, added: int, labelled: int) -> None:
        write_all(self._files["head"], np.array([evicted, added, labelled], HEAD), 0)

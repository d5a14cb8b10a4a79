"""The replay's storage: a memory-mapped ring of uint8 frames, each stored once.

One directory, one writer (ringwriter.py), any number of reader processes:
    meta.json       what is stored: the interface and the capacity
    frames.<camera> capacity x H x W x C, raw
    rows            per frame: proprio, the action that led to it, reward, who drove
    episodes        per episode: where its frames are, its length, how it ended
    head            how many episodes were evicted and added so far, and how often labels changed
    seen            the ids of all episodes that were ever added or passed over
    lock            held by the writer

Episodes are added whole and evicted whole, oldest first. The writer first announces what it
evicts, then overwrites, then announces what it added; a reader checks after copying that nothing
it copied was evicted meanwhile (`Ring.evicted`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .ringfiles import EPISODE, HEAD, Meta, check_shutdown, mapped, read_meta, row_dtype
from .warm import warm

if TYPE_CHECKING:
    from typing_extensions import Self


class Ring:
    """A ring opened for reading. Mapped arrays stay valid while they are referenced."""

    def __init__(self, path: Path) -> None:
        meta = read_meta(path)
        check_shutdown(path)
        self._attach(path, meta)

    def _attach(self, path: Path, meta: Meta) -> None:
        self.path, self.interface, self.capacity = path, meta.interface, meta.capacity
        self._slots = max(self.capacity // 2, 1)  # the shortest episode has two frames
        self._head = mapped(path / "head", HEAD, (3,))
        self._table = mapped(path / "episodes", EPISODE, (self._slots,))
        self.rows = mapped(path / "rows", row_dtype(self.interface), (self.capacity,))
        self.frames = {
            image.name: mapped(
                path / f"frames.{image.name}", np.dtype("u1"), (self.capacity, *image.shape)
            )
            for image in self.interface.observation.images
        }

    @property
    def evicted(self) -> int:
        """Episodes with a smaller ordinal are gone, or about to be overwritten."""
        return int(self._head[0])

    @property
    def added(self) -> int:
        """Episodes with a smaller ordinal have been written whole."""
        return int(self._head[1])

    @property
    def taken(self) -> int:
        """Actions of all episodes that were ever added: sequence numbers only grow, and each
        episode has one more of them than actions."""
        if not self.added:
            return 0
        newest = self._table[(self.added - 1) % self._slots]
        return int(newest["start"]) + int(newest["length"]) + 1 - self.added

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
            table = self._table[np.arange(evicted, added) % self._slots]
            first = self.evicted  # rows before it may have been overwritten while we copied
            if first < added or evicted >= added:
                return first, table[first - evicted :]

    def warm(self) -> bool:
        """Map the frames held ahead of sampling; see warm.py. About 0.05 s a gigabyte."""
        filled = self.capacity if self.evicted else len(self)
        return all(warm(array, filled) for array in (self.rows, *self.frames.values()))

    def close(self) -> None:
        """A reader holds nothing but its mappings."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Two sets of pictures that nothing pairs: of the simulator and of the cell, out of their logs.

Both are drawn from alike: with the fingers as often open, and the bin as often full, on either
side, as far as the logs tell. A translator that saw a holding hand on one side only would learn to
draw one.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy.contract import Invalid
from policy.experience.episode import Episode

from .states import UNTOLD, State

Pictures = npt.NDArray[np.uint8]
REPEATED = 0.5  # of a set: as much of one picture is a camera that hangs
FLAT = 1.0  # grey levels of spread over a whole set: nothing is to be seen


@dataclass(frozen=True)
class Domain:
    """Pictures (N, H, W, 3), what state each was taken in, and in which episode. `logged` are the
    episodes that a log has them from, one after the other, with no picture but the masks."""

    name: str
    pictures: Pictures
    states: tuple[State, ...]
    episodes: tuple[str, ...]
    logged: tuple[Episode, ...] = ()
    _rows: dict[State, list[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check()
        rows: dict[State, list[int]] = {}
        for row, state in enumerate(self.states):
            rows.setdefault(state, []).append(row)
        object.__setattr__(self, "_rows", rows)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def counts(self) -> dict[State, int]:
        """Pictures by state."""
        return {state: len(rows) for state, rows in sorted(self._rows.items())}

    @property
    def size(self) -> int:
        return int(self.pictures.shape[1])

    def draw(self, states: Sequence[State]) -> list[int]:
        """The number of one picture of each of the states."""
        rows = (self._rows[state] for state in states)
        return [some[int(torch.randint(len(some), ()))] for some in rows]

    def some(self, count: int) -> Pictures:
        """Evenly spread over the set."""
        rows = np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int)
        chosen: Pictures = self.pictures[rows]
        return chosen

    def _check(self) -> None:
        """Before a network is blamed for what it was fed."""
        name, pictures = self.name, self.pictures
        if not len(pictures):
            raise Invalid(name, "no picture", "some", "name a log that has the camera")
        if pictures.dtype != np.uint8:
            broken = int((~np.isfinite(pictures)).sum())
            found = f"{pictures.dtype}, {broken} values not finite"
            raise Invalid(name, found, "uint8", "give the frames as the camera took them")
        if pictures.ndim != 4 or pictures.shape[1] != pictures.shape[2] or pictures.shape[3] != 3:
            found = "x".join(map(str, pictures.shape[1:]))
            raise Invalid(name, found, "squares in colour", "name a colour camera, and its size")
        if len(self.states) != len(pictures) or len(self.episodes) != len(pictures):
            found = f"{len(pictures)} with {len(self.states)} states, {len(self.episodes)} episodes"
            raise Invalid(name, found, "one of each a picture", "say where each comes from")
        seen = Counter(zlib.crc32(one.tobytes()) for one in pictures)
        [(_, most)] = seen.most_common(1)
        if len(pictures) > 1 and most > REPEATED * len(pictures):
            found = f"one picture {most} times of {len(pictures)}"
            raise Invalid(name, found, "different ones", "look at the camera: its picture stands")
        levels = sum(np.bincount(one.reshape(-1), minlength=256) for one in pictures)
        mean = np.average(np.arange(256), weights=levels)
        if np.average((np.arange(256) - mean) ** 2, weights=levels) < FLAT**2:
            found = f"pictures of one grey, {mean:.0f}"
            raise Invalid(name, found, "something to be seen", "look at the camera, and the light")


def as_tensor(pictures: Pictures) -> Tensor:
    """(B, H, W, 3) bytes -> (B, 3, H, W) in [-1, 1]."""
    return scaled(torch.from_numpy(pictures))


def as_pictures(tensor: Tensor) -> Pictures:
    """The way back."""
    pictures: Pictures = levels(tensor).cpu().numpy()
    return pictures


def scaled(frames: Tensor) -> Tensor:
    return frames.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def levels(tensor: Tensor) -> Tensor:
    found = tensor.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return found.byte().permute(0, 2, 3, 1).contiguous()


@dataclass(frozen=True)
class Unpaired:
    """Both sides. Drawn are the states that both have, each as often as the other."""

    sim: Domain
    cell: Domain

    def __post_init__(self) -> None:
        if self.sim.pictures.shape[1:] != self.cell.pictures.shape[1:]:
            found = f"{self.sim.size} px and {self.cell.size} px"
            raise Invalid("size", found, "one size", "reduce both to the network's")
        if not self.states:
            found = f"{list(self.sim.counts)} and {list(self.cell.counts)}"
            raise Invalid("states", found, "some that both have", "collect more of both")

    @classmethod
    def of(cls, sim: Domain, cell: Domain) -> Unpaired:
        """How full the bin is counts only where both tell."""
        if any(fill == UNTOLD for one in (sim, cell) for _, fill in one.states):
            sim, cell = (
                replace(one, states=tuple((grip, UNTOLD) for grip, _ in one.states))
                for one in (sim, cell)
            )
        return cls(sim, cell)

    @property
    def states(self) -> list[State]:
        return sorted(self.sim.counts.keys() & self.cell.counts.keys())

    def draw(self, batch: int) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [-1, 1] of the simulator and of the cell."""
        sim, cell = self.rows(batch)
        return as_tensor(self.sim.pictures[sim]), as_tensor(self.cell.pictures[cell])

    def rows(self, batch: int) -> tuple[list[int], list[int]]:
        """Which pictures: in the same states, by torch's own chance."""
        states = self.states
        chosen = [states[k] for k in torch.randint(len(states), (batch,)).tolist()]
        return self.sim.draw(chosen), self.cell.draw(chosen)

"""Two sets of pictures that nothing pairs: of the simulator and of the cell, out of their logs.

Both are drawn from alike: with the fingers as often open, and the bin as often full, on either
side, as far as the logs tell. A translator that saw a holding hand on one side only would learn to
draw one. Some episodes are held out; which, their names alone decide.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy.contract import ImageSpec, Invalid, Preprocessing
from policy.contract.canonical import canonical_mask
from policy.experience.episode import Episode, EpisodeInfo, told
from policy.experience.log import open_index, read_episode
from policy.experience.log.index import Entry
from policy.experience.log.reader import read_summary
from policy.networks.reduce import Reduce

from .states import UNTOLD, State, states_of

Pictures = npt.NDArray[np.uint8]
HELD_OUT = 0.2  # of the episodes
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


@dataclass(frozen=True)
class Split:
    train: Domain
    held_out: Domain


def read_domain(name: str, log: Path, camera: str, size: int, judged: bool = False) -> Split:
    """What the log has of the camera, at `size` px; raw frames are reduced as a policy's are.
    `judged`: of episodes alone whose outcome is known."""
    with open_index(log) as index:
        every = sorted(index, key=_number)
    entries = [one for one in every if not judged or told(one) or one.success is not None]
    if len(entries) < 2:
        found = f"{len(entries)} {'judged ' * judged}episodes in {log}"
        raise Invalid(name, found, "2 or more, one of them to hold out", "collect some")
    # By its name alone: as a log grows, an episode stays on its side.
    held = [one for one in entries if _number(one) < HELD_OUT] or entries[:1]
    held = held[: len(entries) - 1]
    train = entries[len(held) :]
    return Split(*(_domain(name, camera, size, some) for some in (train, held)))


def _number(entry: Entry) -> float:
    """From 0 to 1, by chance and always the same."""
    return zlib.crc32(entry.episode_id.encode()) / 2**32


def _domain(name: str, camera: str, size: int, entries: Sequence[Entry]) -> Domain:
    reading = _Reading(name, camera, size)
    for entry in entries:
        reading.add(entry)
    return reading.domain()


@dataclass
class _Reading:
    """A domain that grows by episodes."""

    name: str
    camera: str
    size: int
    pictures: list[Pictures] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    episodes: list[str] = field(default_factory=list)
    logged: list[Episode] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        episode = read_episode(entry.path)
        self.pictures.append(frames_of(self.name, episode, self.camera, self.size))
        self.states += states_of(episode)
        self.episodes += [entry.episode_id] * (len(episode) + 1)
        mask = canonical_mask(self.camera)
        masks = {name: frames for name, frames in episode.images.items() if name == mask}
        self.logged.append(replace(episode, images=masks, verdicts=entry.verdicts))

    def domain(self) -> Domain:
        pictures = np.concatenate(self.pictures)
        states, episodes = tuple(self.states), tuple(self.episodes)
        return Domain(self.name, pictures, states, episodes, tuple(self.logged))


def read_unpaired(
    sim: Path, cell: Path, camera: str, size: int, judged: bool = False
) -> tuple[Unpaired, Unpaired]:
    """To train on, and held out."""
    ours, theirs = (
        read_domain(name, log, camera, size, judged) for name, log in (("sim", sim), ("cell", cell))
    )
    train = Unpaired.of(ours.train, theirs.train)
    return train, Unpaired.of(ours.held_out, theirs.held_out)


def interface_of(log: Path, camera: str, size: int) -> EpisodeInfo:
    """Of the log's first episode, as if the camera were the only one and its frames of `size`."""
    with open_index(log) as index:
        first = next(iter(index))
    info = read_summary(first.path).info
    assert info is not None  # the index holds episodes alone
    seen = replace(info.interface.observation, images=(ImageSpec(camera, size, size),))
    return replace(info, interface=replace(info.interface, observation=seen))


def frames_of(name: str, episode: Episode, camera: str, size: int) -> Pictures:
    where = f"{name}: {episode.info.episode_id}"
    frames = episode.images.get(camera)
    if frames is None:
        found, wanted = ", ".join(sorted(episode.images)), f"a camera named {camera}"
        raise Invalid(where, found, wanted, "name another, or record it")
    _, height, width, channels = frames.shape
    if channels != 3 or min(height, width) < size:
        found, wanted = f"{height}x{width}x{channels}", f"{size} px or more, in colour"
        raise Invalid(f"{where}: {camera}", found, wanted, "name a colour camera, or a lesser size")
    if (height, width) == (size, size):
        return frames
    side = min(height, width)
    crop = ((height - side) // 2, (width - side) // 2, side, side)
    reduce = Reduce(Preprocessing(camera, crop, (size, size), scale=1.0))
    small = [reduce(torch.from_numpy(frames[k : k + 16])) for k in range(0, len(frames), 16)]
    levels = torch.cat(small).round().clamp(0, 255).byte()
    pictures: Pictures = levels.permute(0, 2, 3, 1).contiguous().numpy()
    return pictures

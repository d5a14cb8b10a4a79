"""Pictures of a simulator beside what they would be had nothing been randomised: `sim.collect
--canonical` logs both. The cell's pictures come along to be looked at; nothing is learnt from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from policy.contract import Invalid
from policy.contract.canonical import THINGS, canonical, canonical_depth, canonical_mask
from policy.contract.depth import STEPS, UNKNOWN
from policy.experience.log import open_index, read_episode

from .data import Domain, Pictures, as_tensor
from .reading import read_domain

PICTURE, KINDS, DEPTH = 3, THINGS + 1, 1  # channels; a mask has one for each kind, things as one
CHANNELS = PICTURE + KINDS + DEPTH


def parts_of(truth: Tensor) -> tuple[Tensor, ...]:
    """Picture, mask and depth."""
    return truth.tensor_split((PICTURE, PICTURE + KINDS), dim=1)


@dataclass(frozen=True)
class Truths:
    """Row for row: pictures (N, H, W, 3), depths and masks (N, H, W, 1), as logged."""

    pictures: Pictures
    depths: Pictures
    masks: Pictures

    def rows(self, rows: Tensor) -> Tensor:
        """(B, 8, H, W): the picture, of each kind whether the pixel is one of it, and the depth;
        all in [-1, 1], but NaN where the depth is unknown."""
        chosen = rows.numpy()
        kinds = torch.from_numpy(self.masks[chosen][..., 0]).long().clamp_max(THINGS)
        mask = F.one_hot(kinds, KINDS).permute(0, 3, 1, 2).float() * 2 - 1
        depth = torch.from_numpy(self.depths[chosen]).permute(0, 3, 1, 2).float()
        depth = torch.where(depth == UNKNOWN, torch.nan, (depth - 1) * (2 / STEPS) - 1)
        return torch.cat([as_tensor(self.pictures[chosen]), mask, depth], dim=1)


@dataclass(frozen=True)
class Pairs:
    sim: Domain
    truths: Truths
    cell: Domain

    def draw(self, batch: int) -> tuple[Tensor, Tensor]:
        """Randomised pictures and their truths, by torch's own chance."""
        rows = torch.randint(len(self.sim), (batch,))
        return as_tensor(self.sim.pictures[rows.numpy()]), self.truths.rows(rows)

    def some(self, count: int) -> tuple[Pictures, Tensor]:
        """Evenly spread over the set."""
        rows = torch.linspace(0, len(self.sim) - 1, min(count, len(self.sim))).round().long()
        return self.sim.pictures[rows.numpy()], self.truths.rows(rows)


def read_pairs(sim: Path, cell: Path, camera: str, size: int) -> tuple[Pairs, Pairs]:
    """To train on, and held out."""
    ours, theirs = read_domain("sim", sim, camera, size), read_domain("cell", cell, camera, size)
    with open_index(sim) as index:
        paths = {entry.episode_id: entry.path for entry in index}

    def paired(pictures: Domain, shown: Domain) -> Pairs:
        episodes = [paths[name] for name in dict.fromkeys(pictures.episodes)]
        return Pairs(pictures, _truths(episodes, camera, size), shown)

    return paired(ours.train, theirs.train), paired(ours.held_out, theirs.held_out)


def _truths(episodes: list[Path], camera: str, size: int) -> Truths:
    names = (canonical(camera), canonical_depth(camera), canonical_mask(camera))

    def streams(path: Path) -> Iterator[Pictures]:
        episode = read_episode(path)
        for name in names:
            frames = episode.images.get(name)
            if frames is None or frames.shape[1:3] != (size, size):
                where = f"sim: {episode.info.episode_id}: {name}"
                found = "none" if frames is None else "{}x{}".format(*frames.shape[1:3])
                remedy = f"collect pairs: python -m sim.collect --canonical --size {size}"
                raise Invalid(where, found, f"{size}x{size}", remedy)
            yield frames

    parts = zip(*(streams(path) for path in episodes), strict=True)
    return Truths(*(np.concatenate(part) for part in parts))

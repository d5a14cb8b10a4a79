"""Pairs of pictures as training wants them: reduced once, split by when they were taken, varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from policy.contract import Invalid

from .album import Pair
from .detector import Mask
from .labels import Example
from .network import Crop

MARGIN = 0.08  # of the bin's size, around it
LARGEST = 112  # px, of what the network sees
HELD_OUT, VALIDATION = 0.2, 0.15  # shares
LEAST = 40  # labelled episodes
SHIFT, TREMBLE = 6, 1  # px: of both pictures, of one against the other
GAIN, TINT, NOISE = 0.35, 0.06, 0.02
SWAPPED = 0.15


def crop_of(mask: Mask) -> Crop:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    margin = round(MARGIN * max(tall, wide))
    height, width = mask.shape
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    bottom, right = min(rows[-1] + 1 + margin, height), min(columns[-1] + 1 + margin, width)
    factor = max(-(-int(max(bottom - top, right - left)) // LARGEST), 1)
    return Crop((int(top), int(left), int(bottom), int(right)), factor)


def as_fed(pair: Pair, camera: str) -> dict[str, Tensor]:
    """To a graph: more than one row, so that none takes their number for a constant."""
    return {
        name: torch.from_numpy(pictures[camera].copy())[None].repeat(2, 1, 1, 1)
        for name, pictures in (("before", pair.before), ("after", pair.after))
    }


@dataclass(frozen=True)
class Pairs:
    """Reduced pictures, float16, and labels."""

    before: Tensor
    after: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)

    def of(self, rows: Sequence[int] | Tensor) -> Pairs:
        chosen = torch.as_tensor(rows)
        return Pairs(self.before[chosen], self.after[chosen], self.label[chosen])


def load(known: Sequence[tuple[Example, bool]], camera: str, crop: Crop) -> Pairs:
    before: list[Tensor] = []
    after: list[Tensor] = []
    for one, _ in known:
        pair = one.pair
        for into, pictures in ((before, pair.before), (after, pair.after)):
            into.append(crop(torch.from_numpy(pictures[camera].copy())[None])[0].half())
    labels = torch.tensor([float(label) for _, label in known])
    return Pairs(torch.stack(before), torch.stack(after), labels)


@dataclass(frozen=True)
class Split:
    train: list[int]
    validation: list[int]
    held_out: list[int]


def split(known: Sequence[tuple[Example, bool]], seed: int) -> Split:
    """Neighbours have the same things in the bin, so they stay together: whole logs where there are
    ten and more, else stretches of time."""
    logs = list(dict.fromkeys(one.log for one, _ in known))
    count = len(known)
    if count < LEAST:
        remedy = "label more: python -m reward ask"
        raise Invalid("episodes", f"{count} labelled", f"{LEAST} or more", remedy)
    if len(logs) >= 10:
        group = [logs.index(one.log) for one, _ in known]
    else:
        group = [10 * k // count for k in range(count)]
    order = np.random.default_rng(seed).permutation(max(group) + 1)
    rank = {int(name): k / len(order) for k, name in enumerate(order)}
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for row, name in enumerate(group):
        share = rank[name]
        parts[(share < HELD_OUT + VALIDATION) + (share < HELD_OUT)].append(row)
    for word, rows in zip(("train", "validation", "held_out"), parts, strict=True):
        kinds = {known[row][1] for row in rows}
        if len(kinds) < 2:
            found = f"{len(rows)} episodes of {len(kinds)} kinds"
            remedy = "label successes and failures from more of the time"
            raise Invalid(word, found, "successes and failures", remedy)
    return Split(*parts)


def varied(pairs: Pairs, random: torch.Generator, swapped: float = SWAPPED) -> Pairs:
    """As the cell may look another day: light, camera, noise; and in a share of the pairs what was
    dropped is taken away again, which is no success."""
    before, after = pairs.before.float(), pairs.after.float()
    rows, label = len(pairs), pairs.label.clone()

    def draw(*shape: int) -> Tensor:
        return 2 * torch.rand(shape, generator=random) - 1

    undone = torch.rand(rows, generator=random) < swapped
    before[undone], after[undone] = after[undone].clone(), before[undone].clone()
    label[undone] = 0
    mirrored = torch.rand(rows, generator=random) < 0.5
    day = 1 + GAIN * draw(rows, 1, 1, 1)
    moved = (SHIFT * draw(rows, 2)).round().int()
    both = []
    for pictures in (before, after):
        light = day * (1 + TINT * draw(rows, 3, 1, 1))
        pictures = (pictures + 0.5) * light - 0.5
        pictures = pictures + NOISE * draw(rows, 1, 1, 1) * torch.randn(
            pictures.shape, generator=random
        )
        shifts = moved + (TREMBLE * draw(rows, 2)).round().int()
        pictures = torch.stack(
            [p.roll((int(d), int(r)), (1, 2)) for p, (d, r) in zip(pictures, shifts, strict=True)]
        )
        both.append(torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures))
    return Pairs(both[0].clamp(-0.5, 0.5), both[1].clamp(-0.5, 0.5), label)

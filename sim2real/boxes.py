"""Boxes in pictures: out of a simulator's masks, how far two agree, how well a detector finds them.

A box is left, top, right, bottom in px; pixel k reaches from k to k + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy.contract.canonical import THINGS

Array = npt.NDArray[np.float64]
CLASSES = ("thing", "hand")
THING, HAND = range(2)
LEAST = 5  # px that are seen of a thing that is to be found


@dataclass(frozen=True)
class Found:
    """What is in one picture: boxes (N, 4), their classes, and how sure that is (of what is
    known: 1)."""

    boxes: Array
    classes: npt.NDArray[np.int64]
    scores: Array

    def of(self, kind: int, surer_than: float = 0.0) -> Found:
        chosen = (self.classes == kind) & (self.scores >= surer_than)
        return Found(self.boxes[chosen], self.classes[chosen], self.scores[chosen])

    @property
    def centres(self) -> Array:
        found: Array = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        return found

    def __len__(self) -> int:
        return len(self.boxes)


def things_in(mask: npt.NDArray[np.uint8]) -> Found:
    """By labels (H, W), as policy.contract.canonical has them."""
    boxes = []
    for label in np.unique(mask[mask >= THINGS]):
        rows, columns = np.nonzero(mask == label)
        if len(rows) >= LEAST:
            boxes.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return sure(np.array(boxes, float).reshape(-1, 4), THING)


def sure(boxes: Array, kind: int) -> Found:
    return Found(boxes, np.full(len(boxes), kind), np.ones(len(boxes)))


def both(one: Found, other: Found) -> Found:
    parts = zip(vars(one).values(), vars(other).values(), strict=True)
    return Found(*(np.concatenate(pair) for pair in parts))


def overlap(a: Array, b: Array) -> Array:
    """Intersection over union, each of `a` with each of `b`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clip(0).prod(2)
    areas = [(one[:, 2:] - one[:, :2]).prod(1) for one in (a, b)]
    shared: Array = both / np.maximum(areas[0][:, None] + areas[1] - both, 1e-9)
    return shared


def best_alone(found: Found, most: float) -> Found:
    """Without what overlaps by more than `most` with something of its class that is surer."""
    left, kept = list(np.argsort(-found.scores, kind="stable")), []
    shared = overlap(found.boxes, found.boxes)
    while left:
        best = left.pop(0)
        kept.append(best)
        same = found.classes == found.classes[best]
        left = [k for k in left if not (same[k] and shared[best, k] > most)]
    return Found(found.boxes[kept], found.classes[kept], found.scores[kept])


def average_precision(
    found: Sequence[Found], wanted: Sequence[Found], kind: int, least: float = 0.5
) -> float:
    """Of one class, over all pictures: the area below precision over recall. Found is what
    overlaps by `least` with something wanted that nothing surer has found; NaN if there is none."""
    scores, right, total = [], [], 0
    for one, truth in zip(found, wanted, strict=True):
        one, truth = one.of(kind), truth.of(kind)
        total += len(truth)
        shared = overlap(one.boxes, truth.boxes)
        for k in np.argsort(-one.scores, kind="stable"):
            best = int(shared[k].argmax()) if len(truth) else -1
            hit = best >= 0 and shared[k, best] >= least
            if hit:
                shared[:, best] = 0
            scores.append(one.scores[k])
            right.append(hit)
    if not total:
        return float("nan")
    hits = np.array(right, bool)[np.argsort(-np.array(scores), kind="stable")]
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    # At each recall, the best that is still to come: a curve without teeth.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / total)

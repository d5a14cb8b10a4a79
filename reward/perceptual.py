"""A perceptual reward from a few demonstrations, after Sermanet et al. (2016).

    python -m reward demonstrate FOLDER LOG ...

Of many features of what changed, those are kept that part the demonstrated successes best from the
cell's empty cycles; each is a bell curve for either, and all vote. A handful of each is enough. It
needs no training, and what it knows is a page of numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict, decode_json, encode
from policy.contract.files import write_atomic
from policy.experience.pictures import captioned, stacked

from .detector import (
    NO_CLIP,
    Clip,
    Detector,
    Judgement,
    Mask,
    Picture,
    Pictures,
    Setup,
    checked,
    judgement,
)
from .evidence import Unjudgeable, compare
from .labels import Example

NAME = "perceptual"
Array = npt.NDArray[np.float64]
SCALES = (1.0, 2.0, 4.0, 8.0)  # px
QUANTILES = (0.9, 0.99, 0.999, 1.0)
KEPT = 6  # features
LEAST = 3  # of each kind
WIDEST = 0.15  # of a feature: a few examples look more alike than they are
SUREST = math.log(19)  # and prove no more than this


@dataclass(frozen=True)
class Known(Strict):
    """Features of a camera's pictures: one row an example."""

    camera: str
    size: tuple[int, int]
    successes: tuple[tuple[float, ...], ...]
    failures: tuple[tuple[float, ...], ...]
    episodes: tuple[str, ...]


def file(folder: Path, camera: str) -> Path:
    return folder / f"{NAME}_{camera}.json"


def read(setup: Setup, camera: str) -> Known:
    path, size = file(setup.folder, camera), setup.masks[camera].shape
    known = Known(camera, size, (), (), ())
    if path.exists():
        known = decode_json(Known, path.read_text(), str(path))
    if known.size != size:
        raise Invalid(f"{path}: size", known.size, str(size), "show it anew: delete the file")
    return known


def write(setup: Setup, known: Known) -> None:
    write_atomic(file(setup.folder, known.camera), (json.dumps(encode(known)) + "\n").encode())


def learn(setup: Setup, cycles: Sequence[tuple[Pictures, Pictures]]) -> None:
    """Empty cycles are what a success has to differ from."""
    for camera, mask in setup.masks.items():
        known = read(setup, camera)
        before, after = cycles[-1]  # those before it are known
        row = _row(features(before[camera], after[camera], mask))
        if row not in known.failures:
            failures = (*known.failures, row)
            write(setup, Known(camera, known.size, known.successes, failures, known.episodes))


def show(setup: Setup, shown: Sequence[tuple[Example, bool]]) -> None:
    """Episodes that are known to have succeeded or failed; those shown before stay."""
    for camera, mask in setup.masks.items():
        known = read(setup, camera)
        rows: dict[bool, list[tuple[float, ...]]] = {True: [], False: []}
        new = [(one, label) for one, label in shown if one.episode not in known.episodes]
        for one, label in new:
            pair = one.pair
            rows[label].append(_row(features(pair.before[camera], pair.after[camera], mask)))
        write(
            setup,
            Known(
                camera, known.size, (*known.successes, *rows[True]),
                (*known.failures, *rows[False]), (*known.episodes, *(e.episode for e, _ in new)),
            ),
        )  # fmt: skip


def build(setup: Setup) -> Detector:
    return Perceptual(setup, {camera: Curves.of(read(setup, camera)) for camera in setup.masks})


def features(before: Picture, after: Picture, mask: Mask) -> Array:
    """How far the pictures differ, in several sizes; and whether structure came or went."""
    found = compare(before, after, mask)
    told = []
    for sigma in SCALES:
        then, now = (cv2.GaussianBlur(p, (0, 0), sigma) for p in (found.before, found.after))
        change = np.abs(now - then).mean(axis=2)[found.mask]
        came = (now**2 - then**2).mean(axis=2)[found.mask]
        told += [math.log(float(np.quantile(change, q)) + 1e-4) for q in QUANTILES]
        told.append(float(np.cbrt(came.sum())))
    return np.array(told)


@dataclass(frozen=True)
class Curves:
    """The features that tell, and how they lie for failures and for successes."""

    chosen: npt.NDArray[np.intp]
    means: Array  # failures, successes
    deviation: Array
    episodes: tuple[str, ...]

    @classmethod
    def of(cls, known: Known) -> Curves:
        for name in ("successes", "failures"):
            if len(getattr(known, name)) < LEAST:
                found, wanted = len(getattr(known, name)), f"{LEAST} or more"
                remedy = "run empty cycles, and show some: python -m reward demonstrate"
                raise Invalid(f"{NAME}.{known.camera}.{name}", found, wanted, remedy)
        bad, good = np.array(known.failures), np.array(known.successes)
        means = np.stack([bad.mean(axis=0), good.mean(axis=0)])
        apart = np.abs(means[1] - means[0])
        deviation = np.maximum(np.maximum(bad.std(axis=0), good.std(axis=0)), WIDEST * apart)
        deviation = np.maximum(deviation, 1e-6)
        chosen = np.argsort(-apart / deviation)[:KEPT]
        return cls(chosen, means[:, chosen], deviation[chosen], known.episodes)

    def odds(self, told: Array) -> float:
        """Features that tell the same are no independent witnesses: their mean counts."""
        far = ((told[self.chosen] - self.means) / self.deviation) ** 2 / 2
        return float((far[0] - far[1]).mean())


class Perceptual:
    name = NAME

    def __init__(self, setup: Setup, curves: dict[str, Curves]) -> None:
        self._masks, self._curves = setup.masks, curves
        self.seen = frozenset(e for one in curves.values() for e in one.episodes)

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        odds, words = [], []
        for camera, curves in self._curves.items():
            mask = self._masks[camera]
            first = checked(before.get(camera), f"before.{camera}", mask)
            second = checked(after.get(camera), f"after.{camera}", mask)
            try:
                odds.append(curves.odds(features(first, second, mask)))
                words.append(f"{camera}: odds {odds[-1]:+.2f}")
            except Unjudgeable as trouble:
                words.append(f"{camera}: {trouble}")
        reason = "; ".join(words)
        picture = stacked(
            [captioned(after[camera], words[k]) for k, camera in enumerate(self._curves)]
        )
        return judgement(self.name, odds, reason, picture, SUREST)


def _row(told: Array) -> tuple[float, ...]:
    return tuple(round(float(one), 5) for one in told)

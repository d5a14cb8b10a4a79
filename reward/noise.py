"""The noise of a cell's pictures, measured on empty cycles: the arm went through the whole routine
and nothing was dropped, so that whatever differs is what a difference has to exceed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict, decode_json, encode
from policy.contract.files import write_atomic

from .detector import Mask, Picture, checked
from .evidence import DARK, FULL, Difference, Unjudgeable, changed, compare

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
FORMAT = 1
FLOOR = 0.05  # grey levels squared, after smoothing: rounding
BINS = 8
LEAST = 200  # pixels that tell a variance
TREMBLE = 0.05  # px; no two pictures are aligned better
DEVIATIONS = 4.0  # a pixel has changed


@dataclass(frozen=True)
class Noise(Strict):
    """Variances of what is compared: in grey levels squared whatever the light (`dark`) and a grey
    level of it (`light`); and in px squared, where an edge is not in its place (`edge`)."""

    format: int
    camera: str
    size: tuple[int, int]  # height, width of its frame
    cycles: int
    dark: float
    light: float
    edge: float
    restless: float  # share of the bin that changes in an empty cycle, typically

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise Invalid("format", self.format, str(FORMAT), "measure the noise anew")
        for name in ("cycles", "dark", "light", "edge", "restless"):
            if getattr(self, name) < 0:
                raise Invalid(name, getattr(self, name), "0 or more", "measure the noise anew")

    def variance(self, difference: Difference) -> Image:
        grey = np.maximum(self.dark, FLOOR) + self.light * difference.level
        edge = max(self.edge, TREMBLE**2) * difference.slope
        scaled = grey / (difference.level + DARK) ** 2 + edge
        return np.asarray(scaled + difference.vague, np.float32)

    def changed(self, difference: Difference) -> Mask:
        return changed(difference, self.variance(difference), DEVIATIONS)


def measure(camera: str, mask: Mask, cycles: Sequence[tuple[Picture, Picture]]) -> Noise:
    """From pictures before and after of empty cycles: three or more, of different fillings."""
    if not cycles:
        raise Invalid("cycles", 0, "1 or more", "run the routine with an empty hand")
    found = [_compared(number, *cycle, mask) for number, cycle in enumerate(cycles)]
    dark, light, edge = _fit(*_samples(found))
    fitted = Noise(FORMAT, camera, mask.shape, len(cycles), dark, light, edge, 0.0)
    shares = [float(fitted.changed(one).sum() / one.mask.sum()) for one in found]
    return replace(fitted, restless=float(np.median(shares)))


def _compared(number: int, before: Picture, after: Picture, mask: Mask) -> Difference:
    field = f"cycles[{number}]"
    try:
        return compare(checked(before, field, mask), checked(after, field, mask), mask)
    except Unjudgeable as trouble:
        raise Invalid(field, str(trouble), "pictures of a still cell", "leave it out") from None


def _samples(found: Sequence[Difference]) -> tuple[Array, Array]:
    """What variance may come from, and squared residuals, pixel by pixel and colour by colour."""
    causes, squares = [], []
    for one in found:
        # What is overexposed has no noise, and would hide that of the rest.
        sound = one.mask[..., None] & (one.level > 1) & (one.level < FULL - 5)
        level, slope = one.level[sound].astype(float), one.slope[sound].astype(float)
        grey = 1 / (level + DARK) ** 2
        causes.append(np.stack([grey, grey * level, slope], axis=1))
        squares.append((one.after - one.before)[sound].astype(float) ** 2)
    return np.concatenate(causes), np.concatenate(squares)


def _fit(causes: Array, squares: Array) -> tuple[float, float, float]:
    """Least squares over bins of light and slope. A bin's variance is told by its quantiles: what
    rolled in one cycle does not count."""
    edges = np.linspace(0, 1, BINS + 1)[1:-1]
    bright = np.digitize(causes[:, 1], np.quantile(causes[:, 1], edges))
    steep = np.digitize(causes[:, 2], np.quantile(causes[:, 2], 1 - 0.5 ** np.arange(1, BINS)))
    rows, variances = [], []
    for name in np.unique(bright * BINS + steep):
        mine = bright * BINS + steep == name
        if mine.sum() >= LEAST:
            middle, upper = np.quantile(squares[mine], (0.5, 0.9))
            rows.append(causes[mine].mean(axis=0))
            variances.append(max(middle / 0.455, upper / 2.706))  # of one degree of freedom
    if len(rows) < 3:
        found = f"{len(squares)} pixels in {len(rows)} bins"
        raise Invalid("cycles", found, "3 bins or more", "give pictures that are not overexposed")
    matrix, target = np.array(rows), np.array(variances)
    weights = 1 / (target + np.median(target))
    kept = np.ones(3, bool)
    while True:  # none of the three can be negative
        terms = np.zeros(3)
        terms[kept] = np.linalg.lstsq(
            matrix[:, kept] * weights[:, None], target * weights, rcond=None
        )[0]
        if (terms >= 0).all():
            dark, light, edge = terms.tolist()
            return dark, light, edge
        kept &= terms > 0


def write(noise: Noise, path: Path) -> None:
    write_atomic(path, (json.dumps(encode(noise), indent=1) + "\n").encode())


def read(path: Path, camera: str, mask: Mask) -> Noise:
    """Refuses what was measured of another camera, or of another frame size."""
    if not path.exists():
        remedy = "measure it: run the routine with an empty hand (reward.noise.measure)"
        raise Invalid(str(path), "no file", "this camera's noise", remedy)
    noise = decode_json(Noise, path.read_text(), str(path))
    for field, found, wanted in (
        ("camera", noise.camera, camera),
        ("size", tuple(noise.size), mask.shape),
    ):
        if found != wanted:
            raise Invalid(f"{path}: {field}", found, str(wanted), "measure this camera's noise")
    return noise

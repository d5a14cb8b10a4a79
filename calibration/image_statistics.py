"""What a camera's pictures are like: noise, vignetting, white balance, exposure, and how their
colours differ from the simulator's. These are the centres and widths that randomisation uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
MID = 128.0  # grey level that the cell file's noise is at
CLIPPED = (8, 247)  # grey levels; beyond, noise is cut off
BINS = 24
FEWEST = 8  # pictures of a scene that stands still
ROUNDING = 1 / 12  # variance
OUTSIDE = (0.025, 0.975)  # quantiles of what is a range
DARK = 16.0  # grey levels: too little light to tell a colour by


@dataclass(frozen=True)
class Found:
    value: float
    residual: float


def noise(pictures: Sequence[Picture]) -> Found:
    """Standard deviation at mid grey, in grey levels, from pictures of a scene that stands still
    (photon transfer: variance against mean, a straight line). From picture to next picture, so
    that light that wanders slowly is not counted."""
    _enough("pictures", len(pictures), FEWEST)
    total, squares = np.zeros(pictures[0].shape), np.zeros(pictures[0].shape)
    for before, after in pairwise(pictures):
        change = after.astype(float) - before
        squares += (change - change.mean(axis=(0, 1))) ** 2
        total += before
    mean, variance = total / (len(pictures) - 1), squares / (2 * (len(pictures) - 1))
    inside = (mean > CLIPPED[0]) & (mean < CLIPPED[1])
    edges = np.quantile(mean[inside], np.linspace(0, 1, BINS + 1))
    which = np.digitize(mean[inside], edges[1:-1])
    level = np.array([mean[inside][which == k].mean() for k in range(BINS)])
    # The mean of a bin's variances would be that of the few pixels where something moved.
    middle = np.array([np.median(variance[inside][which == k]) for k in range(BINS)])
    middle = middle / _median_of_mean(len(pictures) - 1) - ROUNDING
    design = np.column_stack([level, np.ones(BINS)])
    slope, dark = np.linalg.lstsq(design, middle, rcond=None)[0]
    at = float(np.sqrt(max(slope * MID + dark, 0.0)))
    off = float((middle - design @ (slope, dark)).std(ddof=2))
    return Found(at, off / (2 * max(at, 0.1)))


def _median_of_mean(count: int) -> float:
    """Of a mean of `count` squares of unit normal numbers that share their neighbours (each
    difference has a picture with the next in common): the median, by drawing them."""
    random = np.random.default_rng(0)
    drawn = np.diff(random.standard_normal((20000, count + 1)), axis=1) ** 2 / 2
    return float(np.median(drawn.mean(axis=1)))


def vignetting(pictures: Sequence[Picture]) -> Found:
    """How much darker the corners are than the middle, as a share, from pictures of an even white
    or grey surface, out of focus; however the light falls across it."""
    _enough("pictures", len(pictures), 1)
    mean = np.mean([picture.mean(axis=2) for picture in pictures], axis=0)
    rows, columns = mean.shape
    v, u = np.mgrid[0:rows, 0:columns] + 0.5
    v, u = v - rows / 2, u - columns / 2
    radius2 = (v**2 + u**2) * 4 / (rows**2 + columns**2)
    inside = (mean > CLIPPED[0]) & (mean < CLIPPED[1])
    if inside.mean() < 0.9:
        found, wanted = (
            f"{inside.mean():.0%} of the picture",
            "90 % that is neither black nor white",
        )
        raise Invalid("pictures", found, wanted, "expose the surface to a mid grey")
    # (1 - share r^2) times a slope of the light: linear in all unknowns but their products.
    slopes = np.column_stack([np.ones(inside.sum()), (u / columns)[inside], (v / rows)[inside]])
    share = 0.0
    for _ in range(10):
        shade = 1 - share * radius2[inside]
        light, *_ = np.linalg.lstsq(slopes * shade[:, None], mean[inside], rcond=None)
        even = slopes @ light
        share = float(even * radius2[inside] @ (even - mean[inside]))
        share /= float(((even * radius2[inside]) ** 2).sum())
    off = mean[inside] - even * (1 - share * radius2[inside])
    spread = float(off.std() / even.mean())
    # Paper is not even and neighbours err alike: as if each of a hundred patches counted.
    return Found(max(share, 0.0), spread / (10 * float(radius2.std())))


def white_balance(pictures: Sequence[Picture], region: tuple[int, int, int, int]) -> Array:
    """Red and blue against green (N, 2) of a grey surface (white paper, the board's own white) that
    is in `region` (top, left, height, width) of each picture."""
    top, left, height, width = region
    patches = [p[top : top + height, left : left + width].reshape(-1, 3) for p in pictures]
    means = np.array([np.median(patch, axis=0) for patch in patches], float)
    if not len(means) or means.min() < DARK or means.max() > CLIPPED[1]:
        found = "no picture" if not len(means) else f"levels {means.min():.0f} to {means.max():.0f}"
        wanted = f"a grey surface of levels {DARK:.0f} to {CLIPPED[1]}"
        raise Invalid("region", found, wanted, "choose another, or expose otherwise")
    ratios: Array = means[:, ::2] / means[:, 1:2]
    return ratios


def spread(values: npt.ArrayLike, least: float) -> tuple[tuple[float, float], float]:
    """The range that values keep to (19 of 20), never narrower than `least` (a share of their
    middle), and how well its ends are known: exposures (s) over a day, white balances."""
    found = np.asarray(values, float).ravel()
    _enough("values", len(found), FEWEST)
    low, high = (float(q) for q in np.quantile(found, OUTSIDE))
    middle = (low + high) / 2
    half = max((high - low) / 2, least * middle / 2)
    return (middle - half, middle + half), float(found.std(ddof=1) / np.sqrt(len(found)))


@dataclass(frozen=True)
class Transfer:
    """x -> matrix x + offset, on linear light (0 to 1): what brings the mean and covariance of one
    set of pictures' colours to another's, changing colours as little as that allows."""

    matrix: Array
    offset: Array

    def __call__(self, picture: Picture) -> Picture:
        moved = linear(picture).reshape(-1, 3) @ self.matrix.T + self.offset
        return grey_levels(moved).reshape(picture.shape)


def colour_transfer(source: Sequence[Picture], target: Sequence[Picture]) -> Transfer:
    """From the simulator's pictures to the cell's: the optimal transport between Gaussians."""
    (mean, spread_), (wanted, wide) = (_colours(pictures) for pictures in (source, target))
    root = _power(spread_, 0.5)
    inverse = _power(spread_, -0.5)
    matrix = inverse @ _power(root @ wide @ root, 0.5) @ inverse
    return Transfer(matrix, wanted - matrix @ mean)


def linear(picture: Picture) -> Array:
    """sRGB's grey levels as light."""
    x = picture / 255.0
    return np.asarray(np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4), float)


def grey_levels(light: Array) -> Picture:
    x = np.clip(light, 0.0, 1.0)
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(255 * x).astype(np.uint8)


def _colours(pictures: Sequence[Picture]) -> tuple[Array, Array]:
    _enough("pictures", len(pictures), 1)
    pixels = np.concatenate([linear(picture).reshape(-1, 3) for picture in pictures])
    # A thousandth of white's range, so that grey pictures have a covariance to divide by.
    return pixels.mean(axis=0), np.cov(pixels.T) + 1e-6 * np.eye(3)


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T, float)


def _enough(what: str, count: int, fewest: int) -> None:
    if count < fewest:
        raise Invalid(what, str(count), f"{fewest} or more", "record more of them")

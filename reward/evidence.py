"""What changed in the bin between two pictures, in units of what noise would.

Pictures are laid over each other, brought into the same light, and compared in their logarithm
after what is smooth was taken off both. So exposure, colour cast and soft shadows cancel, and so
does the inside of what is large; edges and small things stay, which is what a dropped thing has.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .alignment import align
from .detector import Mask, Picture

Image = npt.NDArray[np.float32]
# Lengths as shares of the square root of the bin's area in the picture.
MARGIN = 0.12  # around the bin: what stands still there helps to align
FINE = 0.03  # what is smoother than this is light
DARK = 8.0  # grey levels; below, a ratio says little
FULL = 250.0  # and above, a pixel may hold more than it says
BLACK = 6.0
VAGUE = 0.06  # of the logarithm
BLIND = 0.5  # share of the bin that may be overexposed or black
BLOCK = 8  # px; light is compared in blocks
SOUND = 0.2  # share of a block that must not be overexposed
SPECK = 3  # px; what is narrower than this is noise
REACH, PATCH = 7, 9  # px; how far a nudged thing is looked for, and by how much of it
UNLIKE = 0.25  # of the difference must be left where it fits best
CRUMB = 0.0012  # share of the bin; what is smaller is no thing


class Unjudgeable(Exception):
    """These pictures tell nothing, and why."""


@dataclass(frozen=True)
class Difference:
    """In the region `where` of the camera's frame; by colour. `before` and `after` are what is left
    of the pictures' logarithms, `level` is in grey levels, `slope` squared, per px."""

    where: tuple[slice, slice]
    mask: Mask
    before: Image
    after: Image
    level: Image
    slope: Image
    vague: Image  # variance of what is overexposed: it is known only to be light
    shift: float  # px that the camera moved


def compare(before: Picture, after: Picture, mask: Mask) -> Difference:
    side = float(np.sqrt(mask.sum()))
    where = _region(mask, round(MARGIN * side))
    inside = mask[where]
    first, second = before[where].astype(np.float32), after[where].astype(np.float32)
    for name, picture in (("before", first), ("after", second)):
        _refuse_blind(name, picture[inside])
    fine = FINE * side
    alignment = align(*(_outline(picture, 2 * fine) for picture in (first, second)))
    if alignment is None:
        raise Unjudgeable("the pictures cannot be laid over each other: did the camera move?")
    second = alignment.apply(second)
    gain = _gain(first, second)
    # Where one picture would be overexposed the other is clipped alike: else its shadows would
    # look deeper.
    top = FULL * np.minimum(1, 1 / gain)
    second = second / gain
    clipped = ((first >= top) | (second >= top)).astype(np.uint8)
    first, second = np.minimum(first, top), np.minimum(second, top)
    logs = np.log(first + DARK), np.log(second + DARK)
    left = [_smooth(_structure(log, fine), 1.0) for log in logs]
    slope = np.maximum(_slope(logs[0]), _slope(logs[1]))
    level = np.asarray((first + second) / 2, np.float32)
    vague = VAGUE**2 * np.asarray(cv2.dilate(clipped, np.ones((BLOCK, BLOCK))), np.float32)
    return Difference(where, inside, left[0], left[1], level, slope, vague, alignment.shift)


def changed(difference: Difference, variance: Image, deviations: float) -> Mask:
    """Where in the bin the pictures differ by more than so many standard deviations, in patches
    that may be a thing."""
    z2 = ((difference.after - difference.before) ** 2 / variance).mean(axis=2)
    found = ((z2 > deviations**2) & difference.mask).astype(np.uint8)
    found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((SPECK, SPECK))), np.uint8)
    _, labels, told, _ = cv2.connectedComponentsWithStats(found)
    large = told[:, cv2.CC_STAT_AREA] >= CRUMB * difference.mask.sum()
    large[0] = False
    return np.asarray(large[labels], bool)


def covered(where: Mask, area: int) -> float:
    """Share of the bin inside the largest outline of what changed: the inside of something large
    and smooth does not show by itself."""
    reach = np.ones((round(FINE * area**0.5),) * 2)
    closed = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_CLOSE, reach)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max((cv2.contourArea(outline) for outline in outlines), default=0.0) / area


def appeared(difference: Difference, variance: Image, where: Mask) -> Mask:
    """Of what changed, what was not there before a few pixels off: what was nudged, was."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not len(rows):
        return where
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    scale = 1 / np.sqrt(variance[box])
    edges = ((REACH, REACH), (REACH, REACH), (0, 0))
    now = difference.after[box] * scale
    height, width = now.shape[:2]
    was = np.pad(difference.before, edges, mode="edge")[
        rows[0] : rows[0] + height + 2 * REACH, columns[0] : columns[0] + width + 2 * REACH
    ]
    patch = (PATCH, PATCH)
    best = here = np.full((height, width), np.inf, np.float32)
    for down in range(2 * REACH + 1):
        for right in range(2 * REACH + 1):
            gap = now - was[down : down + height, right : right + width] * scale
            cost = np.asarray(cv2.boxFilter((gap**2).sum(axis=2), -1, patch), np.float32)
            best = np.minimum(best, cost)
            if down == right == REACH:
                here = cost
    found = np.zeros_like(where)
    found[box] = where[box] & (best > UNLIKE * here)
    return found


def newness(difference: Difference, variance: Image, where: Mask) -> float:
    """Whether what is there now has more structure than what was there: from 1 (something appeared
    on smooth ground) by 0 (something moved) to -1 (something went)."""
    if not where.any():
        return 0.0
    is_, was = (
        float((left[where] ** 2 / variance[where]).sum())
        for left in (difference.after, difference.before)
    )
    return (is_ - was) / max(is_ + was, 1e-9)


def _region(mask: Mask, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


def _refuse_blind(name: str, pixels: Image) -> None:
    for what, share in (
        ("overexposed", float((pixels.min(axis=1) >= FULL).mean())),
        ("black", float((pixels.max(axis=1) <= BLACK).mean())),
    ):
        if share > BLIND:
            raise Unjudgeable(f"{share:.0%} of the bin is {what} in the picture {name}")


def _gain(first: Image, second: Image) -> Image:
    """How much lighter the second is, place by place and by colour, but for what is small."""
    height, width = first.shape[:2]
    size = (max(width // BLOCK, 1), max(height // BLOCK, 1))
    sound = ((first < FULL) & (second < FULL)).astype(np.float32)
    sums = [cv2.resize(p * sound, size, interpolation=cv2.INTER_AREA) for p in (first, second)]
    ratio = np.asarray(np.log((sums[1] + 1) / (sums[0] + 1)), np.float32)
    ratio = _filled(ratio, cv2.resize(sound, size, interpolation=cv2.INTER_AREA) > SOUND)
    # The median leaves out what fills less than half of its window: a thing that appeared.
    typical = cv2.merge([cv2.medianBlur(channel, 5) for channel in cv2.split(ratio)])
    smooth = cv2.resize(_smooth(np.asarray(typical, np.float32), 1.5), (width, height))
    return np.asarray(np.exp(smooth), np.float32)


def _filled(ratio: Image, known: Mask) -> Image:
    """Where a colour is overexposed, as the other colours have it; where all are, as around it."""
    typical = (ratio * known).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    tint = [
        float(np.median((ratio[..., c] - typical)[known[..., c]])) if known[..., c].any() else 0.0
        for c in range(3)
    ]
    ratio = np.where(known, ratio, typical[..., None] + np.array(tint, np.float32))
    some = np.asarray(known.any(axis=2, keepdims=True), np.float32)
    weight = np.maximum(_smooth(some, 3.0), 1e-3).reshape(some.shape)
    around = _smooth(np.asarray(ratio * some), 3.0) / weight
    return np.asarray(np.where(some > 0, ratio, around), np.float32)


def _smooth(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _structure(image: Image, sigma: float) -> Image:
    return image - _smooth(image, sigma)


def _outline(picture: Image, sigma: float) -> Image:
    """What can be aligned whatever the light and the noise."""
    grey = np.log(_smooth(picture.mean(axis=2), 1.5) + DARK)
    return np.clip(_structure(grey, sigma), -0.5, 0.5)


def _slope(image: Image) -> Image:
    """The steepest nearby: a picture that is a fraction of a pixel off differs there."""
    smooth = _smooth(image, 1.0)
    x, y = cv2.Sobel(smooth, -1, 1, 0, scale=1 / 8), cv2.Sobel(smooth, -1, 0, 1, scale=1 / 8)
    return np.asarray(cv2.dilate(x * x + y * y, np.ones((3, 3))), np.float32)

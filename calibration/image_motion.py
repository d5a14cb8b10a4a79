"""How a picture moved, and how old it was: the camera's latency from what the encoders tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .correlate import delay_of

Array = npt.NDArray[np.float64]
Region = tuple[int, int, int, int]  # top, left, height, width
FEWEST = 30  # pictures
GRID = 0.002  # s, of the cross-correlation
OLDEST = 0.4  # s
STEPS = 20
UNEXPLAINED = 0.3  # of the pictures' motion: more, and they show something else


@dataclass(frozen=True)
class Age:
    """Seconds from exposure to stamp; the errors are one standard deviation. `residual` is what
    of the pictures' motion (px) remained unexplained."""

    mean: float
    jitter: float
    mean_error: float
    jitter_error: float
    residual: float


def image_motion(pictures: Sequence[npt.NDArray[np.uint8]], region: Region, reach: int) -> Array:
    """Where the first picture's region is in each, px (N, 2): right and down, within `reach`, to a
    fraction of a pixel. What lies in the region must be on one thing that moves: the hand, for a
    fixed camera; the table or bin, for the hand's."""
    top, left, height, width = region
    grey = [
        np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) if p.ndim == 3 else p, np.uint8)
        for p in pictures
    ]
    patch = grey[0][top : top + height, left : left + width]
    if min(top, left) < reach or patch.std() < 2:
        wanted = f"with something to see in it, {reach} px or more from the picture's edge"
        raise Invalid("region", region, wanted, "choose another")
    window = (slice(top - reach, top + height + reach), slice(left - reach, left + width + reach))
    return np.array([_found(picture[window], patch) - reach for picture in grey])


def _found(picture: npt.NDArray[np.uint8], patch: npt.NDArray[np.uint8]) -> Array:
    score = cv2.matchTemplate(picture, patch, cv2.TM_CCOEFF_NORMED)
    _, _, _, (x, y) = cv2.minMaxLoc(score)
    rows, columns = score.shape
    if not (0 < x < columns - 1 and 0 < y < rows - 1):
        wanted, remedy = "a motion within reach", "move less, or search farther"
        raise Invalid("reach", f"the edge at ({x}, {y})", wanted, remedy)
    # The paraboloid through the best place and its eight neighbours.
    around = score[y - 1 : y + 2, x - 1 : x + 2].astype(float)
    across, down = around.mean(axis=0), around.mean(axis=1)
    shift = [
        0.5 * (line[0] - line[2]) / (line[0] - 2 * line[1] + line[2]) for line in (across, down)
    ]
    return np.array([x + shift[0], y + shift[1]])


def age(stamps: Array, motion: Array, times: Array, positions: Array) -> Age:
    """From pictures' stamps (s) and their motion, and the TCP's positions (m) at `times`: the
    picture moves in proportion to the TCP, as that was when it was exposed. What is left over
    grows with speed as far as it is jitter, and does not as far as it is noise."""
    use = (stamps - OLDEST > times[0]) & (stamps < times[-1])
    stamps, motion = stamps[use], motion[use]
    if len(stamps) < FEWEST:
        wanted = f"{FEWEST} or more, exposed while the encoders were recorded"
        raise Invalid("stamps", f"{len(stamps)} pictures", wanted, "record for longer")
    mean = _coarse(stamps, motion, times, positions)
    for _ in range(STEPS):
        place, speed, fit = _explained(stamps - mean, motion, times, positions)
        left, late = motion - place @ fit, -speed[:, 1:] @ fit[1:]
        step = float((left * late).sum() / (late**2).sum())
        mean += step
        if abs(step) < 1e-7:
            break
    # left = late * (age - mean) + noise, each in its own pixels: age and noise by how their
    # squares depend on the speed.
    fast = (late**2).sum(axis=1)
    along = (left * late).sum(axis=1) / np.sqrt(fast + 1e-12)
    design = np.column_stack([fast, np.ones(len(fast))])
    (wide, _), *_ = np.linalg.lstsq(design, along**2, rcond=None)
    jitter = float(np.sqrt(max(wide, 0.0)))
    weight = fast / fast.sum()
    count = 1 / float((weight**2).sum())  # as many as count, in a mean weighted by speed
    noise = float(np.sqrt((left**2).mean()))
    spread = float(motion.std(axis=0).max())
    if noise > UNEXPLAINED * spread:
        found = f"{noise:.1f} of {spread:.1f} px that the arm's motion does not explain"
        remedy = "look at what the region shows: one thing must lie in it, and stay there"
        raise Invalid("motion", found, f"{UNEXPLAINED:.0%} at most", remedy)
    return Age(
        mean, jitter, float(np.sqrt((along**2 * fast).sum()) / fast.sum()),
        jitter / np.sqrt(2 * count), noise,
    )  # fmt: skip


def _coarse(stamps: Array, motion: Array, times: Array, positions: Array) -> float:
    """By cross-correlation of speeds, along the way that moves most in picture and in space."""
    grid = np.arange(stamps[0], stamps[-1], GRID)
    seen = np.column_stack([np.interp(grid, stamps, line) for line in motion.T])
    moved = np.column_stack([np.interp(grid, times, line) for line in positions.T])
    seen, moved = (x - x.mean(axis=0) for x in (seen, moved))
    across = seen.T @ moved
    left, _, right = np.linalg.svd(across)
    one, other = seen @ left[:, 0], moved @ right[0]
    sign = np.sign(one @ other)
    return delay_of(sign * one, other, GRID, OLDEST)


def _explained(
    exposed: Array, motion: Array, times: Array, positions: Array
) -> tuple[Array, Array, Array]:
    """Positions with a constant before them, speeds likewise, and the matrix from position to
    picture that explains most."""
    before, after = (_at(exposed + by, times, positions) for by in (-0.005, 0.005))
    place = np.column_stack([np.ones(len(exposed)), _at(exposed, times, positions)])
    speed = np.column_stack([np.zeros(len(exposed)), (after - before) / 0.01])
    fit, *_ = np.linalg.lstsq(place, motion, rcond=1e-3)
    return place, speed, np.asarray(fit, float)


def _at(when: Array, times: Array, positions: Array) -> Array:
    return np.column_stack([np.interp(when, times, line) for line in positions.T])

"""Where a fixed camera stands, from pictures of the bin: its edges as the cell file has them are
laid onto those that are seen.

From each edge's projection the picture is searched along the normal. Shadows, things in the bin and
the arm have edges, too: which edge is meant is decided by what all agree on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .bin_edges import BinEdges, Places
from .cell import Bin, Camera
from .registration import Array, Equations, Registration, enough, solve
from .rigid import turned

Picture = npt.NDArray[np.uint8]
WIDTHS = (4.0, 2.5, 1.5, 1.0)  # px, of the loss
FEWEST = 100  # places where an edge must be found, in all pictures together
FAINT, NOISY = 3.0, 0.8  # less is no edge: grey levels a pixel, or a share of the noise
SIGMA = 0.4  # px: how well an edge is found in one place
# Where to look first: px either way, turns (rad) and zooms; and how many of the best to try.
REACH, STRIDE = 44, 2
STARTS, NEAREST = 6, 2
MANY, APART = 20, 2.5  # of each turn and zoom; px that two starts differ by
BESIDE = 0.5  # what an edge counts that is a pixel beside
UNLIKELY = 0.01  # of the share, a squared standard deviation
TURNS, ZOOMS = (-0.02, -0.01, 0.0, 0.01, 0.02), (0.96, 0.98, 1.0, 1.02, 1.04)


def register_picture(
    pictures: Sequence[Picture], camera: Camera, box: Bin, wall: float = 0.01, near: bool = False
) -> Registration:
    """`pictures`: RGB, whole frames of a fixed camera. Several average noise, and things that
    move; what stands still in all of them counts once. `wall`: how thick the bin's are at the rim,
    m, within 3 mm. A focal length that was measured is trusted as far as its residual. `near`: the
    camera is within a centimetre or a degree of the cell file, and need not be searched for."""
    if camera.mount != "world" or not pictures:
        wanted = "a fixed camera, and a picture of it"
        raise Invalid("camera", f"{camera.mount}, {len(pictures)} pictures", wanted, "give both")
    views = [_Seen(picture, camera.noise.value) for picture in pictures]
    lines = BinEdges(camera, box, wall, near)

    def linearise(found: Array, width: float) -> list[Equations]:
        return _linearise(lines, views, found, width)

    best = _best(lines, views[0], near)
    found, covariance = solve(linearise, WIDTHS[-1:], lines.prior, best)
    off = np.concatenate([part.residuals for part in linearise(found, math.inf)])
    met = off[np.abs(off) < 2 * WIDTHS[-1] / SIGMA] * SIGMA
    enough(len(met), "pictures", FEWEST)
    return Registration(
        found[:3], found[3:6], math.exp(found[6]), 1.0, covariance[:6, :6],
        float(np.sqrt(np.mean(met**2))), len(met),
    )  # fmt: skip


class _Seen:
    """One picture: where along a line it changes."""

    def __init__(self, picture: Picture, noise: float) -> None:
        self._faint = max(FAINT, NOISY * noise)
        self._colour = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)

    def offsets(self, places: Places, reach: float) -> Array:
        """From each place to the nearest edge along its normal, px; NaN where there is none."""
        where = self._along(places.pixels, places.normals, math.ceil(reach))
        distance = np.where(np.isfinite(where), np.abs(where), np.inf)
        nearest = distance.argmin(axis=1)
        found = where[np.arange(len(where)), nearest]
        return np.asarray(np.where(np.abs(found) < reach, found, np.nan), float)

    def agreement(self, pixels: Array, normals: Array, shifts: Array) -> Array:
        """How many of the places would lie on an edge, were all shifted by so much: a share for
        each of the shifts (M, 2)."""
        reach = math.ceil(float(np.linalg.norm(shifts, axis=1).max()))
        edge = np.isfinite(self._along(pixels, normals, reach)).astype(np.float32)
        near = np.pad(edge, ((0, 0), (1, 1)))
        met = np.maximum(edge, BESIDE * np.maximum(near[:, 2:], near[:, :-2]))
        at = np.rint(shifts @ normals.T).astype(int) + reach
        return np.asarray(met[np.arange(len(met)), at].mean(axis=1), float)

    def _along(self, pixels: Array, normals: Array, reach: int) -> Array:
        """For each place and each pixel up to `reach` along its normal, the edge's very place (px)
        if there is one; else NaN."""
        steps = np.arange(-reach - 2, reach + 3)
        at = (pixels[:, None] + steps[:, None] * normals[:, None]).astype(np.float32)
        line = cv2.remap(
            self._colour, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        change = np.linalg.norm(line[:, 2:] - line[:, :-2], axis=2) / 2
        before, here, after = change[:, :-2], change[:, 1:-1], change[:, 2:]
        bend = before - 2 * here + after
        peak = (here >= before) & (here > after) & (here > self._faint)
        with np.errstate(divide="ignore", invalid="ignore"):
            where = steps[2:-2] + 0.5 * (before - after) / bend
        return np.asarray(np.where(peak, where, np.nan), float)


def _linearise(
    lines: BinEdges, views: Sequence[_Seen], found: Array, width: float
) -> list[Equations]:
    """Edge by edge, each in all pictures: its places err together."""
    places = lines.places(found)
    slopes = lines.slopes(found, places)
    off = np.array([v.offsets(places, 2 * min(width, WIDTHS[0])) for v in views])
    weights = 1 / (1 + (off / width) ** 2) / (SIGMA * math.sqrt(len(views)))
    parts = []
    for edge in range(16):
        use = np.isfinite(off) & (places.edge == edge)
        weight = weights[use]
        rows = np.broadcast_to(slopes, (*off.shape, 8))[use]
        parts.append(Equations(-off[use] * weight, rows * weight[:, None]))
    return parts


def _best(lines: BinEdges, view: _Seen, near: bool) -> Array:
    """Of all starts, the one from which most of the bin's edges come to lie on some."""
    widths = WIDTHS[1:] if near else WIDTHS

    def linearise(found: Array, width: float) -> list[Equations]:
        return _linearise(lines, [view], found, width)

    starts = _starts(lines, view, near)
    ends = [solve(linearise, widths, lines.prior, start)[0] for start in starts]
    return max(ends, key=lambda found: _explained(lines, view, found))


def _explained(lines: BinEdges, view: _Seen, found: Array) -> float:
    """The share of places with an edge where one should be, less what is unlikely of the pose."""
    off = view.offsets(lines.places(found), 2 * WIDTHS[-1])
    met = np.where(np.isfinite(off), 1 / (1 + (off / WIDTHS[-1]) ** 2) ** 2, 0.0)
    return float(met.mean() - UNLIKELY * ((found / lines.prior) ** 2).sum())


def _starts(lines: BinEdges, view: _Seen, near: bool) -> list[Array]:
    """The cell file's own; and by shifting, turning and zooming what it shows until it lies on
    edges, the best few that differ."""
    places = lines.places(np.zeros(8))
    middle = places.pixels.mean(axis=0)
    reach = REACH // 3 if near else REACH
    steps = np.arange(-reach, reach + 1.0, STRIDE)
    shifts = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    tried: list[tuple[float, Array]] = []
    for angle in (0.0,) if near else TURNS:
        turn = turned(np.array([0, 0, angle]))[:2, :2]
        for zoom in (1.0,) if near else ZOOMS:
            moved = (places.pixels - middle) @ turn.T * zoom + middle
            scores = view.agreement(moved, places.normals @ turn.T, shifts)
            for k in np.argsort(scores)[-MANY:]:
                tried.append((float(scores[k]), moved + shifts[k]))
    chosen: list[Array] = []
    for _, pixels in sorted(tried, key=lambda one: -one[0]):
        if all(np.abs(pixels - other).mean() > APART for other in chosen):
            chosen.append(pixels)
    best = chosen[: NEAREST if near else STARTS]
    return [np.zeros(8), *(_posed(lines, places, pixels) for pixels in best)]


def _posed(lines: BinEdges, places: Places, wanted: Array) -> Array:
    """The pose from which the places are seen about there."""

    def towards(found: Array, _: float) -> list[Equations]:
        pixels, equations = lines.pixels(found, places.edge, places.share), []
        for axis in np.eye(2):
            along = replace(places, normals=np.broadcast_to(axis, wanted.shape))
            slopes = lines.slopes(found, along)
            equations.append(Equations((pixels - wanted) @ axis / STRIDE, slopes / STRIDE))
        return equations

    return solve(towards, (1.0,), lines.prior)[0]

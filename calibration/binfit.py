"""Where the bin is and what shape it has: from points on its floor and walls, seen or touched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import ndtr

from policy.contract import Invalid

from .cell import Bin, Table
from .planes import Plane, fit_plane
from .write import Value, measured

Array = npt.NDArray[np.float64]
SIDES = np.array([[0.0, -1], [1, 0], [0, 1], [-1, 0]])  # outwards, in the bin's own axes
NAMES = ("-y", "+x", "+y", "-x")
ROBUST = 2e-3  # m
FLAT = 0.01  # m: from the expected floor or table, to be part of it
NEAR = 0.04  # m: from an expected wall, to be part of it
ROUNDS = 4  # points are assigned to walls by where the walls were found


@dataclass(frozen=True)
class Touches:
    """Points (N, 3) in the base frame, by what they are on."""

    floor: Array
    walls: Array
    rim: Array
    table: Array


@dataclass(frozen=True)
class BinResult:
    floor: Plane
    table: Plane
    centre: Array
    yaw: float
    size: Array
    slope: float
    wall_height: float
    residual: float  # m, root mean square distance of the walls' points
    points: int

    def values(self, how: str) -> Mapping[str, Value]:
        flat = max(self.residual, self.floor.residual)
        angle = self.residual / float(self.size.min())
        return {
            "table.height": measured(self.table_height, "m", how, self.table.residual),
            "bin.centre": measured(self.centre, "m", how, flat),
            "bin.yaw": measured(self.yaw, "rad", how, angle),
            "bin.floor": measured(self.size, "m", how, flat),
            "bin.wall_height": measured(self.wall_height, "m", how, flat),
            "bin.wall_slope": measured(self.slope, "rad", how, flat / self.wall_height),
        }

    @property
    def table_height(self) -> float:
        """Below the bin."""
        return self.table.height(*self.centre[:2])


def sorted_out(points: Array, guess: Bin, table: Table, eye: Array) -> Touches:
    """Of a cloud seen from `eye`, what lies where the cell file expects floor, walls, rim and table
    to be, give or take some centimetres."""
    numbers, height = _numbers(guess), guess.wall_height.value
    level = guess.centre.value[2]
    distances, up = _distances(points, numbers, level), points[:, 2] - level
    beyond = distances.max(axis=1)
    # Of a wall that faces away, a camera sees the outer side.
    facing = _distances(eye[None], numbers, level)[0] < -NEAR
    on_wall = (np.abs(beyond) < NEAR) & facing[distances.argmax(axis=1)]
    centre, size = np.array(table.centre.value[:2]), np.array(table.size.value)
    on_table = (beyond > NEAR) & (np.abs(points[:, 2] - table.height.value) < 2 * FLAT)
    on_table &= (np.abs(points[:, :2] - centre) < size / 2).all(axis=1)
    return Touches(
        points[(beyond < -NEAR) & (np.abs(up) < 2 * FLAT)],
        points[on_wall & (up > 0.2 * height) & (up < 0.85 * height)],
        points[on_wall & (up > 0.5 * height) & (up < 1.5 * height)],
        points[on_table],
    )


def together(parts: Sequence[Touches]) -> Touches:
    """Of several pictures, or of pictures and touches."""
    names = ("floor", "walls", "rim", "table")
    return Touches(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def fit_bin(touches: Touches, guess: Bin, seen: bool) -> BinResult:
    """`guess` tells the walls apart. `seen`: points of a cloud, in which the rim is where the walls
    end; of touches each one counts."""
    floor, table = fit_plane(touches.floor, FLAT), fit_plane(touches.table, FLAT)
    x = _numbers(guess)
    for _ in range(ROUNDS):
        level = floor.height(*x[:2])
        side = _nearest(touches.walls, x, level)
        _require_all(side, touches.walls)
        found = least_squares(
            lambda x, side=side, level=level: _off(touches.walls, side, x, level),
            x, loss="soft_l1", f_scale=ROBUST,
        )  # fmt: skip
        x = found.x
    centre = np.array([*x[:2], floor.height(*x[:2])])
    off = _off(touches.walls, side, x, float(centre[2]))
    fine = np.abs(off) < 3 * ROBUST
    residual = float(np.sqrt((off[fine] ** 2).sum() / max(fine.sum() - 6, 1)))
    if not len(touches.rim):
        raise Invalid("rim", "no points", "1 or more", "touch the rim, or see all of the bin")
    up = touches.rim[:, 2] - centre[2]
    height = _edge(up, guess.wall_height.value) if seen else float(np.median(up))
    return BinResult(
        floor, table, centre, float(x[2]), x[3:5], float(x[5]), height, residual, len(off)
    )


def _edge(up: Array, guess: float) -> float:
    """How high the walls go, from the heights of points on and above them: as many at each height,
    more on the rim itself, none above, and all of it smeared by noise."""
    counts, edges = np.histogram(up, np.arange(0.5, 1.5, 0.02) * guess)
    at, many = (edges[1:] + edges[:-1]) / 2, float(counts[:10].mean())

    def misses(x: Array) -> Array:
        away = (x[0] - at) / abs(x[1])
        smeared = x[2] * ndtr(away) + x[3] * np.exp(-(away**2) / 2)
        return np.asarray(smeared - counts / max(many, 1.0), np.float64)

    found = least_squares(misses, [guess, 0.05 * guess, 1.0, 0.0], loss="soft_l1", f_scale=0.2)
    return float(found.x[0])


def placed(result: BinResult, guess: Bin) -> Bin:
    """The bin as it was found, to draw."""
    found: dict[str, Any] = {
        "centre": tuple(result.centre), "yaw": result.yaw, "floor": tuple(result.size),
        "wall_height": result.wall_height, "wall_slope": result.slope,
    }  # fmt: skip
    changed = {name: replace(getattr(guess, name), value=value) for name, value in found.items()}
    return replace(guess, **changed)


def _numbers(box: Bin) -> Array:
    """What is fitted: centre, yaw, size, slope."""
    x, y, _ = box.centre.value
    return np.array([x, y, box.yaw.value, *box.floor.value, box.wall_slope.value])


def _distances(points: Array, x: Array, level: float) -> Array:
    """Of points (N, 3) to each of the four walls (N, 4), outwards."""
    cos, sin = math.cos(x[2]), math.sin(x[2])
    away = (points[:, :2] - x[:2]) @ np.array([[cos, -sin], [sin, cos]])
    half = np.abs(SIDES) @ x[3:5] / 2
    out = away @ SIDES.T - half - math.tan(x[5]) * (points[:, 2:] - level)
    return np.asarray(math.cos(x[5]) * out, np.float64)


def _nearest(points: Array, x: Array, level: float) -> npt.NDArray[np.int64]:
    """The wall each point is on: the one it is farthest out to, being inside of all others."""
    return np.asarray(_distances(points, x, level).argmax(axis=1), np.int64)


def _off(points: Array, side: npt.NDArray[np.int64], x: Array, level: float) -> Array:
    found: Array = _distances(points, x, level)[np.arange(len(points)), side]
    return found


def _require_all(side: npt.NDArray[np.int64], points: Array) -> None:
    """Two points a wall, or its direction and slope are guesses."""
    counts = np.bincount(side, minlength=4)
    lacking = [name for name, count in zip(NAMES, counts, strict=True) if count < 2]
    if lacking:
        found = f"{', '.join(lacking)}: less than 2 points ({len(points)} in all)"
        remedy = "touch each wall low and high, left and right; a camera must see all four"
        raise Invalid("walls", found, "2 points or more on each wall", remedy)

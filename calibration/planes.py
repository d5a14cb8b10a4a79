"""Planes through points that not all belong to them, and points from depth pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .lens import Lens
from .rigid import moved

Array = npt.NDArray[np.float64]
TRIES = 200
ROUNDS = 5


@dataclass(frozen=True)
class Plane:
    """normal . point = offset; the normal points up."""

    normal: Array
    offset: float
    residual: float  # m, root mean square of the points that belong to it
    points: int

    def height(self, x: float, y: float) -> float:
        return float((self.offset - self.normal[:2] @ (x, y)) / self.normal[2])

    @property
    def tilt(self) -> float:
        """rad, from level."""
        return math.acos(min(1.0, float(self.normal[2])))


def cloud(metres: npt.NDArray[np.float32], lens: Lens, camera: Array) -> Array:
    """Points (N, 3) in the base frame of a depth picture (h, w), in m along the optical axis; where
    it is 0 or NaN nothing is known. `camera` is the camera's pose (4, 4) in the base frame."""
    if metres.shape != (lens.height, lens.width):
        found, wanted = f"{metres.shape[1]}x{metres.shape[0]}", f"{lens.width}x{lens.height}"
        raise Invalid("depth", found, wanted, "give depth aligned to the calibrated picture")
    rows, columns = np.nonzero(np.nan_to_num(metres) > 0)
    rays = lens.rays(np.column_stack([columns, rows]).astype(np.float64))
    far = metres[rows, columns].astype(np.float64)[:, None]
    return moved(camera, np.column_stack([rays, np.ones(len(rays))]) * far)


def fit_plane(points: Array, within: float, seed: int = 0) -> Plane:
    """The plane most points lie on, to `within` (m), by least squares over those."""
    if len(points) < 3:
        raise Invalid("points", len(points), "3 or more", "touch or see more of the plane")
    random, best = np.random.default_rng(seed), np.zeros(len(points), bool)
    for _ in range(TRIES if len(points) > 3 else 1):
        chosen = points[random.choice(len(points), 3, replace=False)]
        normal = np.cross(chosen[1] - chosen[0], chosen[2] - chosen[0])
        if np.linalg.norm(normal) < 1e-9:
            continue
        near = np.abs((points - chosen[0]) @ (normal / np.linalg.norm(normal))) < within
        if near.sum() > best.sum():
            best = near
    if best.sum() < 3:
        remedy = "touch points that are farther apart"
        raise Invalid("points", "all in a line", "points that span a plane", remedy)
    for _ in range(ROUNDS):
        normal, middle = _least_squares(points[best])
        best = np.abs((points - middle) @ normal) < within
    off = (points[best] - middle) @ normal
    # Three unknowns are fitted: three points alone would always seem exact.
    freedom = max(int(best.sum()) - 3, 1)
    residual = float(np.sqrt((off**2).sum() / freedom))
    return Plane(normal, float(normal @ middle), residual, int(best.sum()))


def _least_squares(points: Array) -> tuple[Array, Array]:
    middle = points.mean(axis=0)
    normal = np.linalg.svd(points - middle, full_matrices=False)[2][2]
    return (normal if normal[2] >= 0 else -normal), middle

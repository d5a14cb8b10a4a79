"""A bin drawn by hand as the front camera of the example cell would see it from somewhere else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from calibration import load_cell
from calibration.cell import Camera
from calibration.geometry import bin_corners, rotation
from calibration.lens import Lens
from calibration.rigid import Array, turned
from sim.env import TWIN

CELL = load_cell(TWIN)
WALL = 0.012
FINE = 4  # times as large as the picture is drawn


def measured(camera: Camera) -> Camera:
    return replace(camera, focal=replace(camera.focal, method="board", residual=0.3))


FRONT = measured(CELL.cameras["front"])


def drawn(shift: Array, turn: Array, seed: int = 0) -> npt.NDArray[np.uint8]:
    """A plain bin with lit and dark walls, noise, and a lot of other edges."""
    random = np.random.default_rng(seed)
    floor, rim = bin_corners(CELL.bin)
    middle = rim.mean(axis=0)
    outer = rim + np.array([WALL, WALL, 0]) * np.sign(rim - middle)
    place = np.array(FRONT.pose.position.value) + shift
    facing = rotation(FRONT.pose.orientation.value) @ turned(turn)

    def at(points: Array) -> npt.NDArray[np.int32]:
        pixels = FINE * (Lens.of(FRONT).project((points - place) @ facing) + 0.5) - 0.5
        return np.rint(16 * pixels).astype(np.int32)

    height, width = FINE * 480, FINE * 640
    picture = np.full((height, width, 3), 150, np.uint8)
    for _ in range(40):  # things on the table
        begin, end = (tuple(int(v) for v in random.integers(0, (width, height))) for _ in range(2))
        cv2.line(picture, begin, end, tuple(int(v) for v in random.integers(60, 220, 3)), 12)

    def fill(points: Array, level: int) -> None:
        cv2.fillConvexPoly(picture, at(points), (level,) * 3, cv2.LINE_8, 4)

    fill(outer, 90)
    opening = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(opening, at(rim), 255, cv2.LINE_8, 4)
    inside = picture.copy()
    picture, whole = inside, picture
    fill(rim, 40)
    for k, level in enumerate((50, 120, 70, 60)):  # the walls away from the camera are seen
        fill(np.array([floor[k], floor[k - 3], rim[k - 3], rim[k]]), level)
    fill(floor, 190)
    for _ in range(5):  # things in the bin
        spot = floor.mean(axis=0) + np.array([*random.uniform(-0.1, 0.1, 2), 0.02])
        corner = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.025
        fill(spot + corner, int(random.integers(20, 250)))
    whole[opening > 0] = picture[opening > 0]
    small = cv2.resize(whole, (640, 480), interpolation=cv2.INTER_AREA)
    noisy = cv2.GaussianBlur(small, (0, 0), 0.7) + random.normal(0, 2, small.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)

"""Rigid motions as 4x4 matrices: `a_from_b @ b_from_c` takes points of frame c into frame a."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Camera, Pose
from .geometry import rotation

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Displacement:
    shift: Array  # m
    turn: Array  # rad, axis times angle

    @property
    def distance(self) -> float:
        return float(np.linalg.norm(self.shift))

    @property
    def angle(self) -> float:
        return float(np.linalg.norm(self.turn))


def turned(turn: npt.ArrayLike) -> Array:
    """The rotation matrix of axis times angle."""
    return np.asarray(cv2.Rodrigues(np.asarray(turn, float))[0], float)


def turn_of(matrix: Array) -> Array:
    """Axis times angle of a rotation matrix."""
    return np.asarray(cv2.Rodrigues(matrix)[0], float).ravel()


def rigid(turn: npt.ArrayLike, place: npt.ArrayLike) -> Array:
    """Of a rotation matrix, or of a turn's axis times its angle, and a translation."""
    turn, motion = np.asarray(turn, float), np.eye(4)
    motion[:3, :3] = turn if turn.shape == (3, 3) else turned(turn)
    motion[:3, 3] = np.asarray(place, float).ravel()
    return motion


def matrix_of(pose: Pose) -> Array:
    return rigid(rotation(pose.orientation.value), pose.position.value)


def quaternion(motion: Array) -> Array:
    """x, y, z, w; of the two that mean the same, the one with w >= 0. It is the eigenvector of the
    rotation matrix's quadratic form: no case is special."""
    (a, b, c), (d, e, f), (g, h, i) = motion[:3, :3]
    form = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    _, vectors = np.linalg.eigh(form)
    found: Array = vectors[:, -1]
    return found if found[3] >= 0 else -found


def placed(pose: Pose, at: Array) -> Pose:
    """The pose as it is there: what `matrix_of` takes, and all else as it was measured."""
    position = replace(pose.position, value=tuple(at[:3, 3].tolist()))
    return Pose(position, replace(pose.orientation, value=tuple(quaternion(at).tolist())))


def standing(camera: Camera, tcp: Array) -> Camera:
    """A camera at the wrist, as it stands in the base frame with the TCP at that pose."""
    pose = tcp @ matrix_of(camera.pose)
    return replace(camera, mount="world", pose=placed(camera.pose, pose))


def inverse(motion: Array) -> Array:
    turn = motion[:3, :3].T
    return rigid(turn, -turn @ motion[:3, 3])


def moved(motion: Array, points: Array) -> Array:
    found: Array = points @ motion[:3, :3].T + motion[:3, 3]
    return found


def apart(one: Array, other: Array) -> tuple[float, float]:
    """How far (m) and by what angle (rad) two poses differ."""
    # Of two rotation matrices the chord's length is 2 sqrt(2) sin(angle / 2).
    chord = float(np.linalg.norm(one[:3, :3] - other[:3, :3])) / (2 * math.sqrt(2))
    place = float(np.linalg.norm(one[:3, 3] - other[:3, 3]))
    return place, 2 * math.asin(min(chord, 1.0))


def crosses(vectors: Array) -> Array:
    """The matrices (..., 3, 3) that multiply like the cross product with `vectors` (..., 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    o = np.zeros_like(x)
    rows = [np.stack(row, -1) for row in ((o, -z, y), (z, o, -x), (-y, x, o))]
    return np.stack(rows, -2)

"""The bin's edges as the cell file has them, as a camera would see them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cell import Bin, Camera
from .geometry import bin_corners, rotation
from .lens import Lens
from .registration import Array, prior
from .rigid import turned

Index = npt.NDArray[np.int64]
WALL = 0.003  # m: standard deviation of the walls' thickness
STEP = 8.0  # px between the places where an edge is looked for
NEAR = 1 / 3  # of the distances otherwise likely


@dataclass(frozen=True)
class Places:
    """Where edges are looked for: on which, how far along it (0 to 1); pixels and unit normals."""

    edge: Index
    share: Array
    pixels: Array
    normals: Array


class BinEdges:
    """The bin's edges: rim within and without, floor, and where walls meet."""

    def __init__(self, camera: Camera, box: Bin, wall: float, near: bool) -> None:
        self._lens, self._wall = Lens.of(camera), wall
        self.prior = prior(camera, WALL)
        self.prior[:6] *= NEAR if near else 1.0
        self._position = np.array(camera.pose.position.value)
        self._turn = rotation(camera.pose.orientation.value)
        cos, sin = math.cos(box.yaw.value), math.sin(box.yaw.value)
        self._axes = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        self._middle = np.array(box.centre.value) + np.array([0, 0, box.wall_height.value])
        # In the bin's own axes, from the middle of its opening.
        self._floor, self._rim = ((x - self._middle) @ self._axes for x in bin_corners(box))

    def places(self, found: Array) -> Places:
        """All that can be seen from there."""
        ends = np.array([self.pixels(found, np.arange(16), np.full(16, s)) for s in (0.0, 1.0)])
        way = ends[1] - ends[0]
        lengths = np.linalg.norm(way, axis=1)
        counts = np.maximum((lengths / STEP).astype(int), 2)
        edge = np.repeat(np.arange(16), counts)
        share = np.concatenate([(np.arange(n) + 0.5) / n for n in counts])
        seen = self._seen(found, self._points(found, edge, share))
        edge, share = edge[seen], share[seen]
        normals = np.column_stack([-way[:, 1], way[:, 0]]) / lengths[:, None]
        return Places(edge, share, self.pixels(found, edge, share), normals[edge])

    def pixels(self, found: Array, edge: Index, share: Array) -> Array:
        return self._lens.zoomed(math.exp(found[6])).project(self._local(found, edge, share))

    def slopes(self, found: Array, places: Places) -> Array:
        """Of the pixels along the normals."""
        local = self._local(found, places.edge, places.share)
        lens, turn = self._lens.zoomed(math.exp(found[6])), self._turn @ turned(found[3:6])
        _, by_point, by_number = lens.project_with_slopes(local)
        by_local = np.einsum("nk,nkj->nj", places.normals, by_point)
        by_focal = np.einsum("nk,nkj->nj", places.normals, by_number[..., :2])
        tiny = 1e-6
        thicker = found + tiny * np.eye(8)[7]
        moved = (self._local(thicker, places.edge, places.share) - local) / tiny
        by_wall = (by_local * moved).sum(axis=1)
        by_zoom = by_focal @ np.array(lens.focal)
        return np.column_stack([-by_local @ turn.T, np.cross(by_local, local), by_zoom, by_wall])

    def _local(self, found: Array, edge: Index, share: Array) -> Array:
        """In the camera's frame."""
        world = self._points(found, edge, share) @ self._axes.T + self._middle
        turn = self._turn @ turned(found[3:6])
        return np.asarray((world - self._position - found[:3]) @ turn, float)

    def _points(self, found: Array, edge: Index, share: Array) -> Array:
        rim, wall = self._rim, self._wall + found[7]
        outside = rim + np.array([wall, wall, 0]) * np.sign(rim)
        begins = np.concatenate([rim, outside, self._floor, self._floor])
        ends = np.concatenate([*(np.roll(x, -1, axis=0) for x in (rim, outside, self._floor)), rim])
        return np.asarray(begins[edge] + share[:, None] * (ends - begins)[edge], float)

    def _seen(self, found: Array, points: Array) -> npt.NDArray[np.bool_]:
        """What is below the rim is seen where its ray comes through the bin's opening."""
        eye = (self._position + found[:3] - self._middle) @ self._axes
        depth = points[:, 2:]
        through = points + depth / (depth - eye[2]) * (eye - points)
        inside = (np.abs(through[:, :2]) < np.abs(self._rim[0, :2])).all(axis=1)
        return np.asarray((depth[:, 0] > -1e-6) | inside, bool)

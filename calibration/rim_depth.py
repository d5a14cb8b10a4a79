"""Where the hand's depth camera sits, from frames it took of the bin and the TCP's poses then.

No board: the bin's floor and its four walls are planes that the cell file knows. What is measured
is laid onto them; what lies in the bin stands out of them and is not heard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .cell import Bin, Camera
from .geometry import rotation
from .lens import Lens
from .registration import Array, Equations, Registration, enough, prior, solve
from .rigid import turned

Depths = npt.NDArray[np.floating]
Crop = tuple[int, int, int, int]  # top, left, height, width
RAYS = 6000  # of a frame, at most
# Widths of the loss, m: as far as a camera may be astray, down to what noise alone explains.
WIDTHS = (0.03, 0.02, 0.012, 0.008, 0.006)
SCALE = 0.015  # standard deviation of a depth camera's scale
EDGE = 0.006  # m: a point so near the rim may be the table's as well
GRAIN = 0.0012  # m: what rounding, edges and the bin's own making leave


def register_depth(
    frames: Sequence[Depths],
    tcp_poses: Sequence[tuple[Array, Array]],
    camera: Camera,
    box: Bin,
    crop: Crop | None = None,
) -> Registration:
    """`frames`: metres along the optical axis, NaN or 0 where unknown, of the camera's whole
    frame or of `crop`, at any size. `tcp_poses`: position and rotation matrix in the base frame
    when each was exposed. Frames from several places and heights, over the whole bin, say most."""
    if camera.depth is None or camera.mount != "wrist":
        raise Invalid("camera", camera.mount, "a wrist camera with depth", "name another camera")
    if len(frames) != len(tcp_poses) or not frames:
        given = f"{len(frames)} frames, {len(tcp_poses)} poses"
        raise Invalid("frames", given, "one pose a frame, and one or more", "pair them by stamp")
    views = [
        _View(frame, pose, camera, box, crop) for frame, pose in zip(frames, tcp_poses, strict=True)
    ]

    def linearise(found: Array, width: float) -> list[Equations]:
        return [view.linearise(found, width) for view in views]

    found, covariance = solve(linearise, WIDTHS, prior(camera, SCALE))
    off = np.concatenate([view.distances(found) for view in views])
    near = off[np.abs(off) < WIDTHS[-1]]
    enough(len(near), "frames")
    return Registration(
        found[:3], found[3:6], math.exp(found[6]), math.exp(found[7]), covariance[:6, :6],
        float(np.sqrt(np.mean(near**2))), len(near),
    )  # fmt: skip


def planes(box: Bin) -> tuple[Array, Array]:
    """Inward normals (5, 3) and offsets of floor and walls, base frame: n p - d is 0 on a plane,
    and positive inside the bin."""
    cos, sin = math.cos(box.yaw.value), math.sin(box.yaw.value)
    lean, up = math.cos(box.wall_slope.value), math.sin(box.wall_slope.value)
    x, y = np.array([cos, sin, 0.0]), np.array([-sin, cos, 0.0])
    z, middle = np.array([0.0, 0.0, 1.0]), np.array(box.centre.value)
    half = np.array(box.floor.value) / 2
    normals = np.array([z, *(up * z - lean * side for side in (x, -x, y, -y))])
    offsets = normals @ middle - lean * np.array([0.0, half[0], half[0], half[1], half[1]])
    return normals, offsets


class _View:
    """One frame: points in the camera's frame, and where the TCP was."""

    def __init__(
        self, frame: Depths, pose: tuple[Array, Array], camera: Camera, box: Bin, crop: Crop | None
    ) -> None:
        assert camera.depth is not None
        self._points = _points(np.asarray(frame, np.float64), camera, crop)
        self._noise = camera.depth.noise.value
        self._place, self._hand = pose
        self._position = np.array(camera.pose.position.value)
        self._turn = rotation(camera.pose.orientation.value)
        self._normals, self._offsets = planes(box)
        self._rim = float(box.centre.value[2] + box.wall_height.value - EDGE)

    def _at(self, found: Array) -> tuple[Array, Array, Array, Array]:
        """At this estimate: where each ray ends on the bin's inside, in the camera's frame, the
        camera's rotation in the base, the plane there and how far off it was measured (NaN where
        the ray ends elsewhere)."""
        points = self._points * math.exp(found[7])
        points[:, :2] /= math.exp(found[6])
        turn = self._hand @ self._turn @ turned(found[3:6])
        place = self._hand @ (self._position + found[:3]) + self._place
        ways = points @ turn.T
        # The bin's inside is convex: a ray ends where it first leaves. Which plane that is, and
        # where, is the ray's matter alone: were it the measured point's, noise would choose.
        depth, sinking = self._normals @ place - self._offsets, ways @ self._normals.T
        with np.errstate(divide="ignore"):
            ends = np.where((depth > 0) & (sinking < 0), -depth / sinking, np.inf)
        hit = ends.argmin(axis=1)
        end = ends[np.arange(len(ends)), hit]
        off = depth[hit] + sinking[np.arange(len(ends)), hit]
        off[~(place[2] + end * ways[:, 2] < self._rim)] = np.nan
        return points * end[:, None], turn, hit, off

    def distances(self, found: Array) -> Array:
        off = self._at(found)[3]
        return off[np.isfinite(off)]

    def linearise(self, found: Array, width: float) -> Equations:
        # The Jacobian is that of the rays' ends: at the measured points their noise would be in
        # both factors of the gradient, and does not average out.
        ends, turn, hit, off = self._at(found)
        use = np.abs(off) < 3 * width
        points, off = ends[use], off[use]
        normals = self._normals[hit[use]]
        local = normals @ turn
        along = (local * points).sum(axis=1)
        # What noise of the distance is across the plane.
        sigma = np.hypot(self._noise * along, GRAIN)
        sideways = -(local[:, :2] * points[:, :2]).sum(axis=1)
        jacobian = np.column_stack([normals @ self._hand, np.cross(points, local), sideways, along])
        # Geman and McClure's weight, halved over root: residuals and rows carry it alike.
        weight = 1 / (1 + (off / width) ** 2) / sigma
        return Equations(off * weight, jacobian * weight[:, None])


def _points(metres: Array, camera: Camera, crop: Crop | None) -> Array:
    """Of a regular choice of pixels, in the optical frame."""
    assert camera.depth is not None
    rows, columns = metres.shape
    top, left, height, width = crop or (0, 0, camera.height, camera.width)
    every = max(1, math.ceil(math.sqrt(rows * columns / RAYS)))
    v, u = np.mgrid[every // 2 : rows : every, every // 2 : columns : every]
    depth = metres[v, u].ravel()
    near, far = camera.depth.span.value
    known = np.isfinite(depth) & (depth > near) & (depth < far)
    # Where in the whole frame each pixel's centre is.
    pixels = np.column_stack(
        [left + (u.ravel() + 0.5) * width / columns - 0.5,
         top + (v.ravel() + 0.5) * height / rows - 0.5]
    )[known]  # fmt: skip
    if not len(pixels):
        return np.zeros((0, 3))
    rays = Lens.of(camera).rays(pixels)
    points: Array = np.column_stack([rays, np.ones(len(pixels))]) * depth[known, None]
    return points

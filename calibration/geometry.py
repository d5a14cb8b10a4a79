"""Geometry of the cell: projection into a camera, and what cannot be true of a real cell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Problem, View

from .cell import Bin, Camera, Cell
from .lens import Lens

Array = npt.NDArray[np.float64]


def rotation(quaternion: npt.ArrayLike) -> Array:
    """Rotation matrix of a unit quaternion x, y, z, w."""
    x, y, z, w = np.asarray(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def down(yaw: float) -> Array:
    """Rotation matrix of a tool that points down, its x along `yaw`: half a turn about x, then yaw
    about the base's z."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, s, 0.0], [s, -c, 0.0], [0.0, 0.0, -1.0]])


def hand(place: npt.ArrayLike, yaw: float) -> tuple[Array, Array]:
    """Position and rotation matrix of a tool that points down."""
    return np.asarray(place, float), down(yaw)


def project(camera: Camera, points: Array) -> tuple[Array, Array]:
    """Pixels (N, 2) and depths (N,) of base-frame points seen by a world camera."""
    turn = rotation(camera.pose.orientation.value)
    local = (points - np.array(camera.pose.position.value)) @ turn
    return Lens.of(camera).project(local), local[:, 2]


def projection(camera: Camera) -> Array:
    """The (3, 4) matrix that takes base-frame points to homogeneous pixels of a world camera, as
    if its lens bent nothing."""
    turn = rotation(camera.pose.orientation.value).T
    shift = -turn @ np.array(camera.pose.position.value)
    whole: Array = Lens.of(camera).matrix @ np.column_stack([turn, shift])
    return whole


def view_of(camera: Camera, image: str, box: Bin) -> View:
    """As a policy is told of it: heights count from the bin's floor, and the hand's z points up,
    where a tool's points down."""
    lift = np.eye(4)
    lift[2, 3] = box.centre.value[2]
    wrist = camera.mount == "wrist"
    places = np.diag([1.0, -1.0, -1.0, 1.0]) if wrist else lift
    rows: Any = tuple(map(tuple, (projection(camera) @ places).tolist()))
    return View(image, rows, wrist)


def box_corners(low: tuple[float, ...], high: tuple[float, ...]) -> Array:
    """The eight corners, x slowest."""
    return np.array(list(itertools.product(*zip(low, high, strict=True))))


def bin_corners(box: Bin) -> tuple[Array, Array]:
    """The four corners of the floor and of the rim, in the same order round."""
    half, lean = (
        np.array(box.floor.value) / 2,
        math.tan(box.wall_slope.value) * box.wall_height.value,
    )
    round_ = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    cos, sin = math.cos(box.yaw.value), math.sin(box.yaw.value)
    turn = np.array([[cos, -sin], [sin, cos]])

    def at(reach: Array, height: float) -> Array:
        flat = (round_ * reach) @ turn.T
        lifted = np.column_stack([flat, np.full(4, height)])
        moved: Array = lifted + np.array(box.centre.value)
        return moved

    return at(half, 0.0), at(half + lean, box.wall_height.value)


def bin_mask(camera: Camera, box: Bin) -> npt.NDArray[np.bool_]:
    """Where in a world camera's picture (height, width) floor and walls of the bin are."""
    pixels, _ = project(camera, np.concatenate(bin_corners(box)))
    outline = cv2.convexHull(np.round(pixels).astype(np.int32))
    drawn = cv2.fillConvexPoly(np.zeros((camera.height, camera.width), np.uint8), outline, 1)
    return np.asarray(drawn, bool)


def problems(cell: Cell) -> Iterator[Problem]:
    """What cannot be true of a real cell, each by its key."""
    yield from _workspace(cell)
    yield from _bin(cell)
    yield from _speed(cell)
    for name, camera in cell.cameras.items():
        if camera.mount == "world":
            yield from _camera(cell, f"cameras.{name}", camera)


def _workspace(cell: Cell) -> Iterator[Problem]:
    low, high = cell.workspace.low.value, cell.workspace.high.value
    for axis, a, b in zip("xyz", low, high, strict=True):
        if not a < b:
            yield Problem(f"workspace.high.{axis}", b, f"more than low.{axis} ({a})", "swap them")
    distances = np.linalg.norm(box_corners(low, high) - np.array(cell.arm.shoulder.value), axis=1)
    if distances.max() > cell.arm.reach.value:
        corner = tuple(float(v) for v in box_corners(low, high)[distances.argmax()])
        wanted = f"every corner within arm.reach ({cell.arm.reach.value} m) of arm.shoulder"
        remedy = "shrink the workspace or move the bin nearer"
        yield Problem("workspace", f"corner {corner} at {distances.max():.3f} m", wanted, remedy)
    floor = cell.bin.centre.value[2]
    if low[2] < floor:
        remedy = "raise it: the fingers would press into the bin"
        yield Problem("workspace.low.z", low[2], f"{floor} or more (the bin's floor)", remedy)
    x, y, _ = cell.bin.centre.value
    if not (low[0] < x < high[0] and low[1] < y < high[1]):
        wanted = "a box that spans the bin's centre"
        yield Problem("workspace", (low, high), f"{wanted} {(x, y)}", "move workspace or bin")


def _bin(cell: Cell) -> Iterator[Problem]:
    floor, _ = bin_corners(cell.bin)
    if floor[0, 2] < cell.table.height.value - 1e-3:
        wanted = f"{cell.table.height.value} or more (table.height)"
        yield Problem("bin.centre.z", float(floor[0, 2]), wanted, "put the bin on the table")
    if min(cell.bin.floor.value) <= cell.gripper.aperture.value[1]:
        wanted = f"more than the open gripper ({cell.gripper.aperture.value[1]} m)"
        yield Problem("bin.floor", cell.bin.floor.value, wanted, "use a wider bin")
    if not 0 <= cell.bin.wall_slope.value < math.radians(80):
        yield Problem("bin.wall_slope", cell.bin.wall_slope.value, "0 to 1.39 rad", "lean it less")
    half, centre = np.array(cell.table.size.value) / 2, np.array(cell.table.centre.value[:2])
    if (np.abs(floor[:, :2] - centre) > half).any():
        wanted = "a floor that lies wholly on the table"
        yield Problem(
            "bin.centre", cell.bin.centre.value, wanted, "move the bin or widen table.size"
        )


def _speed(cell: Cell) -> Iterator[Problem]:
    period = cell.control.period.value
    if period <= 0:
        yield Problem("control.period", period, "more than 0 s", "give the time of one action")
        return
    for step, limit in (("max_step", "max_speed"), ("max_yaw_step", "max_turn_rate")):
        needed, allowed = getattr(cell.control, step).value / period, getattr(cell.arm, limit).value
        if needed <= 0:
            yield Problem(f"control.{step}", needed * period, "more than 0", "let the arm move")
        if needed > allowed * (1 + 1e-9):  # 0.07 m in 0.1 s is 0.7000000000000001 m/s
            found = f"{needed:.3g} a second"
            yield Problem(
                f"control.{step}", found, f"{allowed} at most (arm.{limit})", "shorten it"
            )


def _camera(cell: Cell, field: str, camera: Camera) -> Iterator[Problem]:
    position = np.array(camera.pose.position.value)
    half, centre = np.array(cell.table.size.value) / 2, np.array(cell.table.centre.value[:2])
    over_table = bool((np.abs(position[:2] - centre) <= half).all())
    if over_table and position[2] <= cell.table.height.value:
        wanted = f"z above the table ({cell.table.height.value} m)"
        remedy = "raise it; is the pose that of the camera in the base frame, not the inverse?"
        yield Problem(f"{field}.pose.position", camera.pose.position.value, wanted, remedy)
        return
    floor, _ = bin_corners(cell.bin)
    pixels, depths = project(camera, floor)
    if (depths <= 0).any():
        wanted = "a camera that looks at the bin"
        remedy = "the optical frame has z forward, x right, y down: correct the rotation"
        found = camera.pose.orientation.value
        yield Problem(f"{field}.pose.orientation", found, wanted, remedy)
    elif (pixels < 0).any() or (pixels > [camera.width, camera.height]).any():
        corners = "; ".join(f"({x:.0f}, {y:.0f})" for x, y in pixels)
        wanted = f"the bin's floor inside {camera.width}x{camera.height}"
        yield Problem(
            f"{field}.pose", f"floor corners at {corners}", wanted, "move or turn the camera"
        )

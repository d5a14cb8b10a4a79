"""Draw a cell file: what the camera should see, and the cell from above and from the side.

No simulator and no OpenGL: the numbers of the file, projected. A person holds the left picture
against the live camera image; if the bin's outline does not lie on the bin, the file is wrong.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Cell
from .geometry import Array, bin_corners, box_corners, project, rotation
from .rigid import standing

Picture = npt.NDArray[np.uint8]

INK, TABLE = (60, 60, 60), (226, 232, 236)  # BGR, as cv2 draws
BIN, WORK, LENS = (176, 110, 40), (60, 150, 40), (40, 60, 200)
BOX_EDGES = [
    (0, 1),
    (0, 2),
    (0, 4),
    (1, 3),
    (1, 5),
    (2, 3),
    (2, 6),
    (3, 7),
    (4, 5),
    (4, 6),
    (5, 7),
    (6, 7),
]
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_cell(cell: Cell) -> Picture:
    """RGB sheet: each world camera's view, then the plan and the elevation."""
    views = [camera_view(cell, name) for name, c in cell.cameras.items() if c.mount == "world"]
    plans = [
        _plan(cell, axes, title)
        for axes, title in (((0, 1), "from above"), ((0, 2), "from the right"))
    ]
    height = 480
    scaled = [
        cv2.resize(p, (round(p.shape[1] * height / p.shape[0]), height)) for p in [*views, *plans]
    ]
    return np.ascontiguousarray(np.hstack(scaled)[..., ::-1])


def camera_view(
    cell: Cell, name: str, frame: Picture | None = None, tcp: Array | None = None
) -> Picture:
    """The bin (blue) and the workspace (green) over `frame` (BGR), or over an empty table; of a
    camera at the wrist with the TCP at that pose (4, 4)."""
    camera = cell.cameras[name] if tcp is None else standing(cell.cameras[name], tcp)
    picture = _blank(camera.height, camera.width) if frame is None else frame.copy()
    if frame is None:
        half, centre = np.array(cell.table.size.value) / 2, np.array(cell.table.centre.value[:2])
        # The part of the table in front of the camera, as a fine mesh, so that what lies behind
        # the lens is left out rather than projected inside out.
        lines = np.linspace(-1, 1, 25)
        for u in lines:
            for along in (0, 1):
                path = (
                    np.column_stack([lines, np.full(25, u)])[:, :: 1 if along else -1] * half
                    + centre
                )
                points = np.column_stack([path, np.full(25, cell.table.height.value)])
                _polyline(picture, *project(camera, points), (214, 218, 222), 1)
    floor, rim = bin_corners(cell.bin)
    for ring in (floor, rim):
        _polyline(picture, *project(camera, np.vstack([ring, ring[:1]])), BIN, 2)
    for a, b in zip(floor, rim, strict=True):
        _polyline(picture, *project(camera, np.array([a, b])), BIN, 2)
    corners = box_corners(cell.workspace.low.value, cell.workspace.high.value)
    for i, j in BOX_EDGES:
        _polyline(picture, *project(camera, corners[[i, j]]), WORK, 1)
    _label(picture, f"camera '{name}': bin (blue), workspace (green)")
    return picture


def _plan(cell: Cell, axes: tuple[int, int], title: str) -> Picture:
    """Orthographic view: `axes` are drawn to the right and upwards."""
    picture = _blank(480, 480)
    reach = cell.arm.reach.value
    lens = [np.array(c.pose.position.value) for c in cell.cameras.values() if c.mount == "world"]
    table = np.array(cell.table.centre.value[:2]), np.array(cell.table.size.value) / 2
    low = np.array([*(table[0] - table[1]), cell.table.height.value - 0.05])
    high = np.array([*(table[0] + table[1]), cell.arm.shoulder.value[2] + 0.6])
    low, high = np.min([low, *lens], axis=0) - 0.05, np.max([high, *lens], axis=0) + 0.05
    scale = 420 / max((high - low)[list(axes)])

    def at(point: Array) -> tuple[int, int]:
        right, up = (np.asarray(point) - low)[list(axes)] * scale
        return round(30 + right), round(450 - up)

    surface = np.array([*(table[0] - table[1]), cell.table.height.value])
    far = np.array(
        [*(table[0] + table[1]), cell.table.height.value - (0.04 if axes[1] == 2 else 0)]
    )
    cv2.rectangle(picture, at(surface), at(far), TABLE, -1)
    radius = round(reach * scale)
    cv2.circle(
        picture, at(np.array(cell.arm.shoulder.value)), radius, (200, 200, 200), 1, cv2.LINE_AA
    )
    base = np.array([0.0, 0.0, cell.table.height.value])
    cv2.line(picture, at(base), at(np.array(cell.arm.shoulder.value)), INK, 6, cv2.LINE_AA)
    cv2.circle(picture, at(base), 7, INK, -1, cv2.LINE_AA)
    floor, rim = bin_corners(cell.bin)
    for ring in (floor, rim):
        cv2.polylines(picture, [np.array([at(p) for p in ring])], True, BIN, 2, cv2.LINE_AA)
    for a, b in zip(floor, rim, strict=True):
        cv2.line(picture, at(a), at(b), BIN, 2, cv2.LINE_AA)
    cv2.rectangle(
        picture,
        at(np.array(cell.workspace.low.value)),
        at(np.array(cell.workspace.high.value)),
        WORK,
        1,
    )
    for camera in cell.cameras.values():
        if camera.mount == "world":
            eye = np.array(camera.pose.position.value)
            ahead = eye + 0.25 * rotation(camera.pose.orientation.value)[:, 2]
            cv2.arrowedLine(picture, at(eye), at(ahead), LENS, 2, cv2.LINE_AA, tipLength=0.25)
            cv2.circle(picture, at(eye), 6, LENS, -1, cv2.LINE_AA)
    cv2.line(picture, (30, 466), (30 + round(0.2 * scale), 466), INK, 2)
    cv2.putText(picture, "0.2 m", (36 + round(0.2 * scale), 470), FONT, 0.4, INK, 1, cv2.LINE_AA)
    _label(picture, f"{title}: arm and its reach (grey), camera (red)")
    return picture


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), 250, np.uint8)


def _label(picture: Picture, text: str) -> None:
    cv2.putText(picture, text, (10, 20), FONT, 0.48, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.putText(picture, text, (10, 20), FONT, 0.48, INK, 1, cv2.LINE_AA)


def _polyline(
    picture: Picture, pixels: Array, depths: Array, colour: tuple[int, int, int], width: int
) -> None:
    limit = 10.0 * math.hypot(*picture.shape[:2])
    for a, b, near in zip(
        pixels[:-1], pixels[1:], np.minimum(depths[:-1], depths[1:]), strict=True
    ):
        if near > 0.05 and np.abs([a, b]).max() < limit:
            cv2.line(
                picture, np.rint(a).astype(int), np.rint(b).astype(int), colour, width, cv2.LINE_AA
            )

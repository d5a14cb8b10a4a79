"""Which parts of the picture, which tilts and which distances a set of views has seen, and what to
show next."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from .board import Board, Picture, View
from .lens import Lens
from .pnp import board_pose

Array = npt.NDArray[np.float64]
GRID = (4, 5)  # rows and columns of the picture's cells
IN_CELL = 12  # corners that make a cell seen
TILT = math.radians(20)  # less is flat; focal length and distance are told apart by more
WIDE = 4 / 5  # picture widths, a stranger's focal length: good enough to tell tilts by
SHARES = (0.1, 0.3)  # of the picture's area, that all inner corners span: less is far, more near
TILTS = ("flat", "left side away", "right side away", "top away", "bottom away")
SIZES = ("far", "middle", "near")
IN_BIN = {**dict.fromkeys(TILTS, 6), **dict.fromkeys(SIZES, 8)}  # views that are enough
ROWS = ("top", "upper middle", "lower middle", "bottom")
COLUMNS = ("far left", "left", "middle", "right", "far right")
SEEN, UNSEEN = (60, 170, 60), (190, 60, 50)  # RGB


class Coverage:
    def __init__(self, board: Board, size: tuple[int, int]) -> None:
        """`size` is the picture's width and height."""
        self.board, self.size = board, size
        self.corners = np.zeros(GRID, int)
        self.views = dict.fromkeys([*TILTS, *SIZES], 0)
        guess = WIDE * size[0]
        middle = (size[0] / 2, size[1] / 2)
        self._lens = Lens(*size, (guess, guess), middle, "none", ())

    def add(self, view: View) -> None:
        np.add.at(self.corners, tuple(self._cells(view).T), 1)
        for kind in self.kinds(view):
            self.views[kind] += 1

    def kinds(self, view: View) -> tuple[str, str]:
        """How the board is tilted, and how near it is."""
        pose = board_pose(self.board, self._lens, view)
        away = pose[2, :2]  # how much farther the board's right and lower sides are
        turn = pose[:2, :2] @ away  # the same along the picture's axes
        if np.linalg.norm(away) < math.sin(TILT):
            tilt = "flat"
        elif abs(turn[0]) > abs(turn[1]):
            tilt = "right side away" if turn[0] > 0 else "left side away"
        else:
            tilt = "bottom away" if turn[1] > 0 else "top away"
        hull = cv2.contourArea(cv2.convexHull(view.corners.astype(np.float32)))
        # The corners alone, without the outer squares, and of them those in sight.
        whole = hull * len(self.board.points) / len(view.ids)
        share = whole / (self.size[0] * self.size[1])
        return tilt, SIZES[int(np.searchsorted(SHARES, share))]

    def helps(self, view: View) -> bool:
        """Whether it shows something that is still missing."""
        new = (self.corners[tuple(self._cells(view).T)] < IN_CELL).any()
        return bool(new) or any(self.views[kind] < IN_BIN[kind] for kind in self.kinds(view))

    @property
    def missing(self) -> list[str]:
        """What to do, the most useful first; nothing when all was seen."""
        said = []
        rare = min(TILTS, key=lambda kind: self.views[kind])
        if self.views[rare] < IN_BIN[rare]:
            said.append("hold it flat" if rare == "flat" else f"tilt it: {rare}")
        size = min(SIZES, key=lambda kind: self.views[kind])
        if self.views[size] < IN_BIN[size]:
            said.append({"far": "go away", "near": "come near"}.get(size, "half way"))
        if (self.corners < IN_CELL).any():
            row, column = np.unravel_index(self.corners.argmin(), GRID)
            said.append(f"bring it to the {ROWS[row]}, {COLUMNS[column]}")
        return said

    @property
    def share(self) -> float:
        """0 to 1: how much of it is done."""
        cells = np.minimum(self.corners / IN_CELL, 1).mean()
        kinds = np.mean([min(self.views[kind] / enough, 1) for kind, enough in IN_BIN.items()])
        return float((cells + kinds) / 2)

    def draw(self, picture: Picture, view: View | None = None) -> Picture:
        """The cells over an RGB picture, green as they fill, and the corners seen now."""
        shown, (height, width) = picture.astype(np.float32), picture.shape[:2]
        filled = np.minimum(self.corners / IN_CELL, 1)[..., None]
        tint = filled * SEEN + (1 - filled) * UNSEEN
        shown = 0.75 * shown + 0.25 * np.asarray(
            cv2.resize(tint, (width, height), interpolation=cv2.INTER_NEAREST)
        )
        drawn = np.ascontiguousarray(shown, np.uint8)
        for x, y in view.corners if view else ():
            cv2.circle(drawn, (round(x), round(y)), 3, (255, 220, 0), -1, cv2.LINE_AA)
        return drawn

    def _cells(self, view: View) -> npt.NDArray[np.int64]:
        share = view.corners[:, ::-1] / (self.size[1], self.size[0])
        found: npt.NDArray[np.int64] = np.clip((share * GRID).astype(int), 0, np.array(GRID) - 1)
        return found

"""Where the board is, from one view of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .board import Board, View
from .lens import Lens
from .rigid import moved, rigid

Array = npt.NDArray[np.float64]
ENOUGH = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-10)


def board_pose(board: Board, lens: Lens, view: View) -> Array:
    """The board's frame (4, 4) in the camera's: of the two poses a flat board may have, the one
    that fits better, and then the best near it."""
    points, rays = board.points[view.ids], lens.rays(view.corners)
    # On rays, not pixels: so it is the same for every kind of lens.
    _, turns, shifts, errors = cv2.solvePnPGeneric(
        points, rays, np.eye(3), np.zeros(4), flags=cv2.SOLVEPNP_IPPE
    )
    best = int(np.argmin(np.ravel(errors)))
    turn, shift = cv2.solvePnPRefineLM(
        points, rays, np.eye(3), np.zeros(4), turns[best], shifts[best], ENOUGH
    )
    return rigid(turn, shift)


def reprojection(board: Board, lens: Lens, view: View, pose: Array) -> Array:
    """Seen less expected (N, 2), in px."""
    return view.corners - lens.project(moved(pose, board.points[view.ids]))

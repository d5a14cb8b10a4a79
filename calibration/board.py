"""The ChArUco board: a chessboard whose white squares carry markers, so that each corner has a
number, and half a board is as good as a whole one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
DICTIONARIES = {
    name: getattr(cv2.aruco, name)
    for name in ("DICT_4X4_50", "DICT_4X4_100", "DICT_5X5_50", "DICT_5X5_100", "DICT_6X6_100")
}
LARGER = 2
FEWEST = 6  # corners: fewer say little of a pose, and may be mistaken


@dataclass(frozen=True)
class Board(Strict):
    """Squares across and down, and the sides of squares and markers in m, measured with a calliper
    on the print: all distances come from `square`. The default fills a sheet of A4."""

    columns: int = 7
    rows: int = 5
    square: float = 0.038
    marker: float = 0.028
    dictionary: str = "DICT_4X4_50"

    def __post_init__(self) -> None:
        for side in ("columns", "rows"):
            if getattr(self, side) < 3:
                raise Invalid(side, getattr(self, side), "3 squares or more", "use a larger board")
        if not 0 < self.marker < self.square:
            wanted = f"between 0 and the square ({self.square} m)"
            raise Invalid("marker", self.marker, wanted, "measure both on the print, in m")
        if self.dictionary not in DICTIONARIES:
            wanted = f"one of {', '.join(DICTIONARIES)}"
            raise Invalid("dictionary", self.dictionary, wanted, "take what it was printed with")
        have = self.dictionary.rpartition("_")[2]
        if self.columns * self.rows // 2 > int(have):
            wanted = f"at most {have} markers of {self.dictionary}"
            remedy = "use fewer squares, or a larger dictionary"
            raise Invalid("columns x rows", (self.columns, self.rows), wanted, remedy)

    @property
    def size(self) -> tuple[float, float]:
        """Across and down, in m."""
        return self.columns * self.square, self.rows * self.square

    @property
    def points(self) -> Array:
        """The inner corners (N, 3) by their numbers, in the board's frame: origin in a corner of
        the board, x across, y down, z into it."""
        down, across = np.mgrid[1 : self.rows, 1 : self.columns]
        flat = np.stack([across.ravel(), down.ravel(), 0 * down.ravel()], axis=1)
        return self.square * flat.astype(np.float64)

    @property
    def bit(self) -> float:
        """m; the side of a marker's smallest square. It has a frame of one around its bits."""
        return self.marker / (int(self.dictionary[5]) + 2)

    @property
    def outline(self) -> Array:
        """The four corners of the board, in its frame."""
        width, height = self.size
        return np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]])

    def draw(self, pixels: int) -> Picture:
        """The board alone, grey, with so many pixels a square."""
        size = (self.columns * pixels, self.rows * pixels)
        return np.asarray(self.pattern().generateImage(size, marginSize=0), np.uint8)

    def pattern(self) -> cv2.aruco.CharucoBoard:
        words = cv2.aruco.getPredefinedDictionary(DICTIONARIES[self.dictionary])
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, words)


@dataclass(frozen=True)
class View:
    """The corners (N, 2) seen in one picture, in pixels, and their numbers."""

    ids: npt.NDArray[np.int64]
    corners: Array


def grey_of(picture: Picture) -> Picture:
    """Of an RGB picture, or of one that is grey."""
    if picture.ndim == 2:
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


class Finder:
    """Finds a board in pictures, each corner to a fraction of a pixel."""

    def __init__(self, board: Board) -> None:
        self.board = board
        markers = cv2.aruco.DetectorParameters()
        markers.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        markers.perspectiveRemovePixelPerCell = 8
        self._detector = cv2.aruco.CharucoDetector(board.pattern(), detectorParams=markers)

    def find(self, picture: Picture) -> View | None:
        """None where fewer than six corners are seen, or all in a line."""
        grey = grey_of(picture)
        # Twice as large, markers are read that are too far or too steep as they are.
        large = cv2.resize(grey, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
        corners, ids, _, _ = self._detector.detectBoard(large)
        if ids is None or len(ids) < FEWEST:
            return None
        numbers = np.asarray(ids, np.int64).ravel()
        flat = self.board.points[numbers, :2]
        if np.linalg.matrix_rank(flat - flat.mean(axis=0), tol=self.board.square / 4) < 2:
            return None
        spots = np.asarray(corners, np.float64).reshape(-1, 2)
        return View(numbers, (spots + 0.5) / LARGER - 0.5)

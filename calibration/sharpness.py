"""How blurred a board is: the width of the edges between its squares, in pixels.

Unlike the variance of a Laplacian, it says the same of a near board and a far one, in bright light
and in dim; and edges of both directions are looked at, since motion blurs those alone that lie
across it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from .board import Board, Picture, View, grey_of

Array = npt.NDArray[np.float64]
STEP = 0.25  # px between samples along a profile
HALF = 0.3  # of a square: how far a profile goes to either side


def blur(board: Board, view: View, picture: Picture) -> float:
    """Standard deviation (px) of what smears the edges; of the worse of the two directions."""
    grey = grey_of(picture)
    place = {int(number): corner for number, corner in zip(view.ids, view.corners, strict=True)}
    across = board.columns - 1  # inner corners in a row
    worst = 0.0
    for step in (1, across):
        pairs = [
            (corner, place[number + step])
            for number, corner in place.items()
            if number + step in place and (step > 1 or (number + 1) % across)
        ]
        if pairs:
            start, end = (np.array(side) for side in zip(*pairs, strict=True))
            worst = max(worst, _width(grey, start, end))
    return worst


def _width(grey: Picture, start: Array, end: Array) -> float:
    """Of the edges from `start` to `end` (N, 2), each a straight side of two squares."""
    along = end - start
    length = np.linalg.norm(along, axis=1, keepdims=True)
    normal = along[:, ::-1] * (-1, 1) / length
    reach = HALF * float(np.median(length))
    steps = np.arange(-reach, reach + STEP, STEP)
    spots = ((start + end) / 2)[:, None] + normal[:, None] * steps[:, None]
    x, y = np.moveaxis(spots.astype(np.float32), -1, 0)
    profiles = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profiles = np.asarray(profiles, np.float64)
    low, high = np.percentile(profiles, (5, 95), axis=1)
    steepest = np.abs(np.gradient(profiles, STEP, axis=1)).max(axis=1)
    clear = high - low > 20  # grey levels: less is no edge
    if not clear.any():
        return math.inf
    # A step of height h, blurred by s, rises by h / (s sqrt(2 pi)) a pixel at most.
    widths = (high - low)[clear] / (steepest[clear] * math.sqrt(2 * math.pi))
    return float(np.median(widths))

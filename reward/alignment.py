"""Lay one picture over another that the camera took from almost the same place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Image = npt.NDArray[np.float32]
STILL = 0.12  # px; as good as not moved: resampling would blur more than it mends
FAR = 0.05  # of the picture's width: a camera that was pushed, not one that trembled
ALIKE = 0.4  # correlation once aligned: below, these are two scenes
AGREED = 0.7  # share of the pixels that say how the camera moved: the others may have changed
ENDS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
BLUR = 5  # px; an odd one


@dataclass(frozen=True)
class Alignment:
    """`matrix` takes the first picture's pixels to the second's; `shift` is the farthest that
    any of them goes, px."""

    matrix: Image
    shift: float

    def apply(self, second: Image) -> Image:
        """The second picture as if the camera had not moved."""
        if self.shift < STILL:
            return second
        how, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (second.shape[1], second.shape[0])
        edge = cv2.BORDER_REPLICATE
        moved = cv2.warpAffine(second, self.matrix, size, flags=how, borderMode=edge)
        return np.asarray(moved, np.float32)


def align(first: Image, second: Image) -> Alignment | None:
    """Shift and turn between two pictures of structure, in which light does not count; None if
    none can be told."""
    height, width = first.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(first, second, window)
    start = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    if np.hypot(dx, dy) > FAR * width:
        return None
    try:
        _, matrix = _refine(first, second, start, np.ones(first.shape, np.uint8))
        # Again without what does not fit: a thing that appeared would pull.
        gap = np.abs(Alignment(matrix, np.inf).apply(second) - first)
        agreed = (gap <= np.quantile(gap, AGREED)).astype(np.uint8)
        alike, matrix = _refine(first, second, matrix, agreed)
    except cv2.error:  # its way to say that it did not converge
        return None
    corners = np.array([[x, y, 1] for x in (0, width) for y in (0, height)])
    shift = float(np.linalg.norm(corners @ matrix.T - corners[:, :2], axis=1).max())
    return Alignment(matrix, shift) if alike > ALIKE and shift <= 2 * FAR * width else None


def _refine(first: Image, second: Image, start: Image, where: Mask) -> tuple[float, Image]:
    how = cv2.MOTION_EUCLIDEAN
    alike, found = cv2.findTransformECC(first, second, start, how, ENDS, where, BLUR)
    return float(alike), np.asarray(found, np.float32)

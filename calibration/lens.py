"""What a camera's picture says of directions, apart from where the camera is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Camera

Array = npt.NDArray[np.float64]

ENOUGH = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-9)


@dataclass(frozen=True)
class Lens:
    """Pixel 0's centre is at 0. The distortion models are the cell file's."""

    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    distortion_model: str
    distortion: tuple[float, ...]

    @classmethod
    def of(cls, camera: Camera) -> Lens:
        return cls(
            camera.width, camera.height, camera.focal.value, camera.centre.value,
            camera.distortion_model, camera.distortion.value,
        )  # fmt: skip

    @property
    def matrix(self) -> Array:
        (fx, fy), (cx, cy) = self.focal, self.centre
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])

    @property
    def terms(self) -> Array:
        """As OpenCV takes them, which knows no lens without any."""
        return np.array(self.distortion or (0.0,) * 4)

    @property
    def fisheye(self) -> bool:
        return self.distortion_model == "equidistant"

    def zoomed(self, factor: float) -> Lens:
        fx, fy = self.focal
        return replace(self, focal=(factor * fx, factor * fy))

    def project(self, points: Array) -> Array:
        """Pixels (N, 2) of points in the optical frame."""
        return self.project_with_slopes(points)[0]

    @property
    def numbers(self) -> Array:
        """Focal lengths, centre, distortion: what can be fitted."""
        return np.array([*self.focal, *self.centre, *self.distortion])

    def with_numbers(self, numbers: Array) -> Lens:
        fx, fy, cx, cy, *terms = (float(one) for one in numbers)
        return replace(self, focal=(fx, fy), centre=(cx, cy), distortion=tuple(terms))

    def project_with_slopes(self, points: Array) -> tuple[Array, Array, Array]:
        """Also how each pixel moves with its point (N, 2, 3) and with `numbers` (N, 2, K)."""
        zero, spread = np.zeros(3), np.ascontiguousarray(points, np.float64)[:, None]
        if self.fisheye:
            found, slopes = cv2.fisheye.projectPoints(spread, zero, zero, self.matrix, self.terms)
            shift, own = slopes[:, 11:14], slopes[:, :8]
        else:
            found, slopes = cv2.projectPoints(spread, zero, zero, self.matrix, self.terms)
            shift, own = slopes[:, 3:6], slopes[:, 6 : 10 + len(self.distortion)]
        pixels = np.asarray(found, np.float64).reshape(-1, 2)
        by_point = np.asarray(shift, np.float64).reshape(-1, 2, 3)
        return pixels, by_point, np.asarray(own, np.float64).reshape(len(pixels), 2, -1)

    def rays(self, pixels: Array) -> Array:
        """Where on the plane z = 1 of the optical frame (N, 2) pixels came from."""
        spread = np.ascontiguousarray(pixels, np.float64)[:, None]
        if self.fisheye:
            found = cv2.fisheye.undistortPoints(spread, self.matrix, self.terms)
        else:  # by iteration: the five rounds of undistortPoints are too few for strong lenses
            found = cv2.undistortPointsIter(
                spread, self.matrix, self.terms, np.eye(3), np.eye(3), ENOUGH
            )
        return np.asarray(found, np.float64).reshape(-1, 2)

"""What a camera does to light: blur, exposure, white balance, vignetting, noise, compression."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from .camera import Crop, Picture
from .parameters import Imaging, Shade

BANK = 1 << 18


class Bank:
    """Of standard normal numbers, read from a random place on: to draw as many anew would take
    longer than the picture."""

    def __init__(self, size: int) -> None:
        self._numbers = np.random.default_rng(0).standard_normal(BANK + size, np.float32)

    def draw(self, random: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        first = int(random.integers(BANK))
        return self._numbers[first : first + math.prod(shape)].reshape(shape)


class Sensor:
    """For pictures of one size, drawn of a crop of the camera's frame. Averaging pixels averages
    noise, so it shrinks with the picture."""

    def __init__(self, size: tuple[int, int], crop: Crop, frame: tuple[int, int]) -> None:
        rows, columns = size
        top, left, height, width = crop
        self._scale = rows / height
        self._bank = Bank(rows * columns * 3)
        # From the middle of the full frame, 1 in its corners: a crop is darkened less.
        v = top + (np.arange(rows, dtype=np.float32) + 0.5) * height / rows - frame[0] / 2
        u = left + (np.arange(columns, dtype=np.float32) + 0.5) * width / columns - frame[1] / 2
        self._centres = (
            np.broadcast_to(u + frame[1] / 2 - 0.5, size),
            np.broadcast_to(v[:, None] + frame[0] / 2 - 0.5, size),
        )
        self._radius2 = (v[:, None] ** 2 + u**2) * 4 / (frame[0] ** 2 + frame[1] ** 2)
        self._gain = np.ones((rows, columns, 3), np.float32)
        self._for: Imaging | None = None

    def develop(self, picture: Picture, imaging: Imaging, random: np.random.Generator) -> Picture:
        x = picture.astype(np.float32)
        blur = imaging.blur * self._scale
        if blur > 0.2:
            x = np.asarray(cv2.GaussianBlur(x, (0, 0), blur), np.float32)
        if imaging != self._for:
            self._for = imaging
            tint = np.array([imaging.red, 1.0, imaging.blue], np.float32) * imaging.gain
            self._gain = (1 - np.float32(imaging.vignetting) * self._radius2)[..., None] * tint
            if imaging.shade is not None:
                self._gain *= self._shadow(imaging.shade)
        x *= self._gain
        noise = imaging.noise * min(1.0, self._scale)
        if noise > 0:
            sample = self._bank.draw(random, x.shape)
            # Photons: variance grows with light. Half of it is there in the dark, too.
            x += noise * np.sqrt(0.5 + x * (0.5 / 128)) * sample
        done = np.clip(x + 0.5, 0, 255).astype(np.uint8)
        if imaging.jpeg:
            _, code = cv2.imencode(
                ".jpg", done[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, imaging.jpeg]
            )
            done = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))[..., ::-1]
        return np.ascontiguousarray(done)

    def _shadow(self, shade: Shade) -> npt.NDArray[np.float32]:
        """What it leaves of the light: dark in the middle, with a wide soft edge."""
        u, v = (axis - at for axis, at in zip(self._centres, shade.middle, strict=True))
        turn = np.linalg.inv(np.column_stack([shade.across, shade.along])).astype(np.float32)
        radius2 = (turn[0, 0] * u + turn[0, 1] * v) ** 2 + (turn[1, 0] * u + turn[1, 1] * v) ** 2
        dark = np.exp(-math.log(2) * radius2 * radius2)
        return np.asarray(1 - dark[..., None] * np.array(shade.depth, np.float32), np.float32)

"""The preprocessing in the graph is OpenCV's, to the last bit but rounding."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from policy.contract import Preprocessing
from policy.networks.reduce import Reduce

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 480, 640, 3), np.uint8)
CV2 = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "nearest": cv2.INTER_NEAREST_EXACT,
}


@pytest.mark.parametrize(
    ("crop", "size", "interpolation"),
    [
        ((0, 80, 480, 480), (64, 64), "area"),  # 7.5 pixels to one
        ((0, 80, 480, 480), (120, 120), "area"),  # exactly 4
        ((7, 33, 301, 400), (96, 80), "area"),  # uneven both ways
        ((0, 80, 480, 480), (64, 64), "bilinear"),
        ((10, 20, 50, 60), (64, 64), "bilinear"),  # enlarged
        ((0, 0, 480, 640), (480, 640), "area"),  # nothing to do
        ((0, 80, 480, 480), (64, 64), "nearest"),
    ],
)
def test_reduces_as_opencv_does(
    crop: tuple[int, int, int, int], size: tuple[int, int], interpolation: str
) -> None:
    step = Preprocessing("front", crop, size, interpolation, scale=1 / 255, offset=-0.5)  # type: ignore[arg-type]
    top, left, height, width = crop
    found = Reduce(step)(torch.from_numpy(FRAMES)).permute(0, 2, 3, 1).numpy()
    for frame, reduced in zip(FRAMES, found, strict=True):
        cropped = frame[top : top + height, left : left + width].astype(np.float32)
        wanted = cv2.resize(cropped, size[::-1], interpolation=CV2[interpolation])
        np.testing.assert_allclose(reduced, wanted / 255 - 0.5, atol=1e-6)

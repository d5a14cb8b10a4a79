"""Depth as bytes. Cameras give metres or millimetres; logs, replay and policies hold images of
bytes, and this is the one place where the one becomes the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

UNKNOWN = 0  # the byte of a pixel without depth: a hole, or out of the span
STEPS = 254  # from the span's near end, which is 1, to its far end


def depth_bytes(metres: npt.NDArray[Any], span: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """(H, W) along the optical axis, NaN or 0 where nothing was measured -> (H, W, 1)."""
    near, far = span
    known = (metres >= near) & (metres <= far)
    scaled = 1 + (np.where(known, metres, near) - near) * (STEPS / (far - near))
    return np.where(known, np.rint(scaled), UNKNOWN).astype(np.uint8)[..., None]


def depth_metres(
    image: npt.NDArray[np.uint8], span: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """(H, W, 1) -> (H, W), NaN where nothing is known."""
    near, far = span
    metres = near + (image[..., 0] - 1.0) * ((far - near) / STEPS)
    return np.where(image[..., 0] == UNKNOWN, np.nan, metres)

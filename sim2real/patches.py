"""Plain statistics of pictures, which say in which way two sets differ."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .data import Pictures

PATCH = 8  # px
Numbers = npt.NDArray[np.float64]


def statistics(pictures: Pictures) -> dict[str, Numbers]:
    """One number a picture; grey levels where nothing else is said."""
    levels = pictures.astype(np.float64)
    grey = levels.mean(3)
    colours = levels.mean((1, 2))
    return {
        "brightness": grey.mean((1, 2)),
        "contrast": grey.std((1, 2)),
        "red less green": colours[:, 0] - colours[:, 1],
        "blue less green": colours[:, 2] - colours[:, 1],
        "saturation": (levels.max(3) - levels.min(3)).mean((1, 2)),
        "edges": np.array([_edges(one) for one in grey]),
        "noise": np.array([_noise(one) for one in grey]),
        "texture of patches": _within_patches(grey),
    }


def _edges(grey: Numbers) -> float:
    """Mean strength of the gradient, a pixel."""
    down, right = np.gradient(grey)
    return float(np.hypot(down, right).mean())


def _noise(grey: Numbers) -> float:
    """Of a pixel against its neighbours, where that is least: edges do not count."""
    rest = cv2.filter2D(grey, -1, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64) / 6)
    return float(1.4826 * np.median(np.abs(rest)))


def _within_patches(grey: Numbers) -> Numbers:
    """Median spread within a patch: of surfaces, rather than between them."""
    count, height, width = grey.shape
    rows, columns = height // PATCH, width // PATCH
    cut = grey[:, : rows * PATCH, : columns * PATCH]
    patches = cut.reshape(count, rows, PATCH, columns, PATCH)
    found: Numbers = np.median(patches.std((2, 4)), axis=(1, 2))
    return found

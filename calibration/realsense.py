"""The lens as a RealSense's maker measured it, in the cell file's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .cell import Camera
from .intrinsics import lens_values, require_size
from .lens import Lens
from .write import Value

Array = npt.NDArray[np.float64]
GRID = 20  # rays a side of the picture, to turn one way of writing distortion into the other


def lens_of(found: Any) -> Lens:
    """Of a `pyrealsense2.intrinsics`."""
    size, focal, centre = (found.width, found.height), (found.fx, found.fy), (found.ppx, found.ppy)
    model, terms = found.model.name, tuple(float(one) for one in found.coeffs)
    if not any(terms):
        return Lens(*size, focal, centre, "none", ())
    if model == "brown_conrady":
        return Lens(*size, focal, centre, "plumb_bob", terms[:5])
    if model == "kannala_brandt4":
        return Lens(*size, focal, centre, "equidistant", terms[:4])
    if model == "inverse_brown_conrady":
        straight = Lens(*size, focal, centre, "none", ())
        return Lens(*size, focal, centre, "plumb_bob", _inverted(straight, terms[:5]))
    wanted = "brown_conrady, inverse_brown_conrady or kannala_brandt4"
    raise Invalid("model", model, wanted, "calibrate the camera with the board instead")


def values(found: Any, name: str, camera: Camera) -> Mapping[str, Value]:
    """What `write` puts into the cell file."""
    lens = lens_of(found)
    require_size((lens.width, lens.height), camera)
    return lens_values(name, lens, "datasheet")  # nobody measured it here


def _inverted(straight: Lens, terms: Sequence[float]) -> tuple[float, ...]:
    """librealsense's inverse model takes bent rays to straight ones, by the formula that OpenCV
    takes straight ones to bent ones with: the terms for that, by least squares over the picture."""
    u, v = np.meshgrid(
        np.linspace(0, straight.width - 1, GRID), np.linspace(0, straight.height - 1, GRID)
    )
    bent = straight.rays(np.column_stack([u.ravel(), v.ravel()]))
    rays = bent + (_slopes(bent) @ terms).reshape(-1, 2)
    found = np.linalg.lstsq(_slopes(rays), (bent - rays).ravel(), rcond=None)[0]
    return tuple(float(one) for one in found)


def _slopes(rays: Array) -> Array:
    """By which each of the terms k1, k2, p1, p2, k3 moves rays: x and y in turn."""
    x, y = rays.T
    square = x * x + y * y
    columns = [
        rays * square[:, None], rays * square[:, None] ** 2,
        np.column_stack([2 * x * y, square + 2 * y * y]),
        np.column_stack([square + 2 * x * x, 2 * x * y]), rays * square[:, None] ** 3,
    ]  # fmt: skip
    return np.stack([column.ravel() for column in columns], axis=1)

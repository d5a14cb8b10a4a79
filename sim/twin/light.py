"""How the light in the twin's cell changes while it runs: exposure and white balance wander, and
somebody walks between lamp and bin. Functions of time alone, so that a frame's pixels do not depend
on who looks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.cell import Camera
from calibration.geometry import project, rotation

from ..parameters import Imaging, Look, Shade
from .faults import Faults

Array = npt.NDArray[np.float64]
WANDER = 0.2  # how far exposure gets from where it was set, either way
TINT = 0.3  # of that, red and blue against green
# Somebody's shadow on the bin's floor: half its width and length (m), how far from the bin's middle
# it gets, and how long it takes there and back (s); along the bin's axes.
PERSON = (0.11, 0.32)
REACH = (0.34, 0.26)
ROUND = (11.0, 7.3)


def lit(
    imaging: dict[str, Imaging], look: Look, headlight: float, cell: Cell, faults: Faults,
    now_ns: int,
) -> dict[str, Imaging]:  # fmt: skip
    """What each camera's pictures are like at that time."""
    seconds = now_ns * 1e-9
    if faults.exposure_drift:
        imaging = {
            name: _drifted(i, faults.exposure_drift * seconds) for name, i in imaging.items()
        }
    if faults.moving_shadow:
        depth = faults.moving_shadow * _main_share(look, headlight)
        for name, camera in cell.cameras.items():
            # A picture's shade is where the floor is in it: of the hand's camera that is anywhere.
            if name in imaging and camera.mount == "world":
                shade = _shade(cell, camera, depth, seconds)
                imaging = imaging | {name: replace(imaging[name], shade=shade)}
    return imaging


def _drifted(imaging: Imaging, way: float) -> Imaging:
    gain, red, blue = (
        1 + share * _wander(way / WANDER + phase)
        for share, phase in ((WANDER, 0.0), (TINT * WANDER, 2.0), (TINT * WANDER, 4.5))
    )
    return replace(
        imaging, gain=imaging.gain * gain, red=imaging.red * red, blue=imaging.blue * blue
    )


def _wander(x: float) -> float:
    """Within 1 and with a slope of at most 1, and the same again only after long."""
    return 0.6 * math.sin(x) + 0.4 * math.sin(0.731 * x + 1.0)


def _main_share(look: Look, headlight: float) -> Array:
    """How much of the light on the floor is the first lamp's, by colour."""
    lamps = np.array([lamp.diffuse for lamp in look.lamps])
    share: Array = lamps[0] / (look.ambient + headlight + lamps.sum(axis=0))
    return share


def _shade(cell: Cell, camera: Camera, depth: Array, seconds: float) -> Shade:
    half = math.sin(cell.bin.yaw.value / 2), math.cos(cell.bin.yaw.value / 2)
    turn = rotation((0.0, 0.0, *half))
    at = np.array([
        reach * math.sin(2 * math.pi * seconds / period)
        for reach, period in zip(REACH, ROUND, strict=True)
    ])  # fmt: skip
    spots = np.array([(*at, 0), (at[0] + PERSON[0], at[1], 0), (at[0], at[1] + PERSON[1], 0)])
    pixels, _ = project(camera, spots @ turn.T + np.array(cell.bin.centre.value))
    middle, across, along = pixels[0], pixels[1] - pixels[0], pixels[2] - pixels[0]
    return Shade(_pair(middle), _pair(across), _pair(along), _vec(depth))


def _pair(values: Array) -> tuple[float, float]:
    return (float(values[0]), float(values[1]))


def _vec(values: Array) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))

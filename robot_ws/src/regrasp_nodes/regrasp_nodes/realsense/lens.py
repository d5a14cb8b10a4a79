"""What the camera says of its own picture, held against what calibration says of it."""

from __future__ import annotations

import calibration.cell
from calibration.lens import Lens
from policy.contract import Invalid

TOLERANCE = 0.02  # of the focal length: factory and calibration agree better than that


def misfit(lens: Lens, camera: calibration.cell.Camera) -> str:
    """Another size is refused; another focal length is told, with both."""
    size, wanted = (lens.width, lens.height), (camera.width, camera.height)
    if size != wanted:
        text = f"{wanted[0]}x{wanted[1]}, as in the cell file"
        raise Invalid("size", f"{size[0]}x{size[1]}", text, "calibrate at the size that is used")
    for found, calibrated in zip(lens.focal, camera.focal.value, strict=True):
        if abs(found - calibrated) > TOLERANCE * calibrated:
            both = [f"({x:.1f}, {y:.1f}) px" for x, y in (lens.focal, camera.focal.value)]
            return (
                f"focal length: the camera says {both[0]}, the cell file {both[1]}: "
                f"more than {TOLERANCE:.0%} apart; is it the right camera? else calibrate it"
            )
    return ""

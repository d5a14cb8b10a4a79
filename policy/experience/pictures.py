"""Pictures for people: RGB arrays into PNG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract.files import write_atomic


def write_png(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write an RGB picture, whole or not at all, into a directory that is made if need be."""
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f"{path}: found a picture {picture.shape} that OpenCV cannot encode")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data.tobytes())

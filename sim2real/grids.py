"""What a translator makes of pictures that it was not trained on, at one glance."""

from __future__ import annotations

import cv2
import numpy as np

from policy.experience.pictures import captioned, stacked

from .data import Pictures, as_pictures, as_tensor
from .translator import Translator

COLUMNS, ZOOM = 8, 2


def grid(translator: Translator, sim: Pictures, cell: Pictures, device: str) -> Pictures:
    """The simulator's pictures, their translations, and back from there; then the cell's, and, of
    a translator that can, back to the simulator."""
    shown, real = as_tensor(sim[:COLUMNS]).to(device), as_tensor(cell[:COLUMNS]).to(device)
    there = translator.translate(shown)
    rows = [("simulator", shown), ("translated", there)]
    if (again := translator.back(there)) is not None:
        rows.append(("and back", again))
    rows.append(("cell", real))
    if (simulated := translator.back(real)) is not None:
        rows.append(("as simulated", simulated))
    return stacked([captioned(row(as_pictures(pictures)), name) for name, pictures in rows])


def row(pictures: Pictures) -> Pictures:
    """Side by side, large enough to be looked at."""
    side = np.hstack(list(pictures))
    large = cv2.resize(side, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)

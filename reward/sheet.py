"""Pictures before and after of several episodes, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from policy.experience.pictures import captioned, stacked

from .detector import Picture
from .labels import Example

TILE = 200  # px, the height of a picture


def sheet(rows: Sequence[tuple[Example, str]]) -> Picture:
    """Before and after, one episode a row, with a line below each."""
    return stacked([_row(one, text) for one, text in rows])


def _row(one: Example, text: str) -> Picture:
    pair = one.pair
    tiles = [_small(shown[camera]) for camera in pair.before for shown in (pair.before, pair.after)]
    return captioned(np.ascontiguousarray(np.hstack(tiles)), text)


def _small(picture: Picture) -> Picture:
    width = round(TILE * picture.shape[1] / picture.shape[0])
    return np.asarray(cv2.resize(picture, (width, TILE), interpolation=cv2.INTER_AREA), np.uint8)

"""Pictures for people: RGB arrays with captions, side by side, into PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract.files import write_atomic

Picture = npt.NDArray[np.uint8]
MARGIN = 6  # pixels around a picture
CAPTION = 18  # pixels below it
FONT = cv2.FONT_HERSHEY_SIMPLEX
PAPER, INK, GREY = (255, 255, 255), (40, 40, 40), (120, 120, 120)


def write_picture(path: Path, picture: Picture) -> None:
    """Write an RGB picture as its suffix says (.png, .jpg), whole or not at all, into a directory
    that is made if need be."""
    done, data = False, np.zeros(0, np.uint8)
    if cv2.haveImageWriter(path.name):
        done, data = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(
            f"{path}: found a picture {picture.shape} and no encoder for "
            f"{path.suffix!r}, wanted one; name it .png or .jpg"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data.tobytes())


def captioned(picture: Picture, text: str, bar: tuple[int, int, int] | None = None) -> Picture:
    """The picture on paper, with a line of text below it and, between them, a coloured bar."""
    height, width, _ = picture.shape
    tile = np.full((height + CAPTION + 2 * MARGIN, width + 2 * MARGIN, 3), PAPER, np.uint8)
    tile[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = picture
    if bar is not None:
        tile[MARGIN + height : MARGIN + height + 3, MARGIN : MARGIN + width] = bar
    at = (MARGIN, MARGIN + height + CAPTION)
    cv2.putText(tile, text, at, FONT, 0.38, GREY, 1, cv2.LINE_AA)
    return tile


def headed(lines: Sequence[str], parts: Sequence[Picture], width: int = 0) -> Picture:
    """Lines of text, and pictures below them, on paper `width` wide at least."""
    width = max([width, *(part.shape[1] for part in parts)])
    header = np.full((10 + 22 * len(lines), width, 3), PAPER, np.uint8)
    for line, text in enumerate(lines):
        cv2.putText(header, text, (MARGIN, 20 + 22 * line), FONT, 0.45, INK, 1, cv2.LINE_AA)
    return stacked([header, *parts])


def stacked(parts: Sequence[Picture]) -> Picture:
    """One below the other, paper where one is narrower."""
    width = max(part.shape[1] for part in parts)
    missing = [((0, 0), (0, width - part.shape[1]), (0, 0)) for part in parts]
    filled = [np.pad(p, m, constant_values=255) for p, m in zip(parts, missing, strict=True)]
    return np.vstack(filled)

"""Episodes that detectors are tried on: as they were played, and as they look in a changed cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.reward_episodes import DONE
from reward.detector import Picture
from reward.labels import Example, examples


@dataclass(frozen=True)
class Case:
    """An episode of a piece, in one of two halves."""

    piece: Path
    half: int
    example: Example
    truth: bool
    fingers: bool | None

    @property
    def room(self) -> str:
        return self.piece.name.split("-")[1]


def cases(folder: Path, scenario: str) -> Iterator[Case]:
    for piece in sorted(folder.glob(f"{scenario}-*")):
        if not (piece / DONE).exists():
            continue
        known = {one["episode"]: one for one in json.loads((piece / DONE).read_text())}
        found = sorted(examples([piece / "log"]), key=lambda e: int(e.episode.split("-")[1]))
        for number, one in enumerate(found):
            is_ = known[one.episode]
            yield Case(piece, int(number >= len(found) // 2), one, is_["truth"], is_["fingers"])


def dark(picture: Picture) -> Picture:
    """The main lamp failed; the camera does not make up for it."""
    return np.asarray(np.clip(picture * np.array([0.5, 0.42, 0.36]), 0, 255), np.uint8)


def pushed(picture: Picture) -> Picture:
    """The camera stands otherwise, in both pictures."""
    height, width = picture.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), 3.0, 1.0), float)
    matrix[:, 2] += 40, -25
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def covered(picture: Picture) -> Picture:
    """Something grey hangs in front of the bin's middle, as the hand would."""
    found = picture.copy()
    height, width = picture.shape[:2]
    corners = np.array([(0.42, 0.0), (0.6, 0.0), (0.58, 0.62), (0.44, 0.62)]) * (width, height)
    cv2.fillConvexPoly(found, corners.astype(np.int32), (92, 94, 98))
    return found


CHANGES: Mapping[str, Callable[[Picture], Picture]] = {
    "lamp failed": dark, "camera pushed": pushed, "hand in view": covered,
}  # fmt: skip
PLAYED = {"light": "light wanders", "objects": "smaller things", "occluded": "hand half in view"}


def some(known: Sequence[Case], count: int) -> list[Case]:
    """So many at most, from all pieces alike."""
    rows = np.linspace(0, len(known) - 1, min(count, len(known))).round().astype(int)
    return [known[row] for row in rows]

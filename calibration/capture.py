"""Collect views of the board from a stream of frames: sharp ones, each unlike the others, and say
after each frame what to show next."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from policy.contract import Invalid

from .board import Board, Finder, Picture, View
from .coverage import Coverage
from .intrinsics import FEWEST, fit
from .lens import Lens
from .pnp import board_pose, reprojection
from .records import Record, Sighting
from .sharpness import blur

SHARP = 0.9  # px of blur: corners suffer from more
BLURRED = 1.4  # times the sharper half's blur, when the lens itself is no sharper than that
NEW = 0.04  # of the picture's width: how far the corners must have moved
AGAIN = 5  # views between two fits
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Told:
    """What became of a frame, and what would help now."""

    kept: bool
    why: str
    advice: str
    view: View | None
    residual: float | None  # px, of this view under the lens as found so far


class Capture:
    def __init__(self, board: Board, size: tuple[int, int]) -> None:
        """`size` is the picture's width and height."""
        self.board, self.size = board, size
        self.coverage = Coverage(board, size)
        self.views: list[View] = []
        self.lens: Lens | None = None  # of the views so far, for the live residual
        self._finder, self._blurs = Finder(board), list[float]()

    @property
    def done(self) -> bool:
        return not self.coverage.missing

    @property
    def record(self) -> Record:
        return Record(self.board, *self.size, tuple(Sighting.of(view) for view in self.views))

    def feed(self, frame: Picture) -> Told:
        """An RGB or grey frame."""
        if frame.shape[1::-1] != self.size:
            found, wanted = f"{frame.shape[1]}x{frame.shape[0]}", f"{self.size[0]}x{self.size[1]}"
            raise Invalid("frame", found, wanted, "keep to one size")
        view = self._finder.find(frame)
        if view is None:
            return self._told(False, "no board in sight", None)
        smear = blur(self.board, view, frame)
        if self._blurred(smear):
            return self._told(False, f"blurred by {smear:.1f} px: hold still, or more light", view)
        self._blurs.append(smear)
        if any(self._alike(view, other) for other in self.views):
            return self._told(False, "seen already", view)
        self.views.append(view)
        self.coverage.add(view)
        if len(self.views) >= FEWEST and len(self.views) % AGAIN == 0:
            self.lens = fit(self.board, self.views, self.size, "plumb_bob")
        return self._told(True, f"view {len(self.views)}", view)

    def draw(self, frame: Picture, told: Told) -> Picture:
        """For the person with the board: the map, the corners, and what to do."""
        drawn = self.coverage.draw(frame, told.view)
        rest = "" if told.residual is None else f", {told.residual:.2f} px"
        lines = (f"{told.why}{rest}", f"{self.coverage.share:.0%}", *told.advice.split("; "))
        for number, line in enumerate(lines):
            for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
                place = (10, 24 + 24 * number)
                cv2.putText(drawn, line, place, FONT, 0.6, colour, width, cv2.LINE_AA)
        return drawn

    def _told(self, kept: bool, why: str, view: View | None) -> Told:
        residual = None
        if view is not None and self.lens is not None:
            pose = board_pose(self.board, self.lens, view)
            off = reprojection(self.board, self.lens, view, pose)
            residual = float(np.sqrt((off**2).sum(axis=1).mean()))
        advice = "; ".join(self.coverage.missing) or "all was seen: calibrate"
        return Told(kept, why, advice, view, residual)

    def _blurred(self, smear: float) -> bool:
        sharper = float(np.percentile(self._blurs, 25)) if self._blurs else SHARP
        return smear > max(SHARP, BLURRED * sharper)

    def _alike(self, one: View, other: View) -> bool:
        _, first, second = np.intersect1d(one.ids, other.ids, return_indices=True)
        if len(first) < min(len(one.ids), len(other.ids)) / 2:
            return False
        moved = np.linalg.norm(one.corners[first] - other.corners[second], axis=1)
        return float(moved.mean()) < NEW * self.size[0]

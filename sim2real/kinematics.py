"""What joints and calibration tell of a picture, without looking at it: where the hand is, where it
closed on something, and what is out of its reach."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.geometry import bin_corners, box_corners, project
from policy.contract import Invalid
from policy.experience.episode import Episode

from .boxes import Array
from .states import GRIP, states_of

# m, about the TCP of a parallel gripper that is open: ahead, beside, below and above it.
AHEAD, BESIDE, BELOW, ABOVE = 0.025, 0.065, 0.01, 0.09
RISE = 0.1  # m: of a held thing above the highest place of the TCP
PLACE = ("tcp_x", "tcp_y", "tcp_height", "tcp_yaw")
_, BETWEEN, OPEN = GRIP


class Fixed:
    """A cell's fixed camera; its pictures are the middle square, at `size` px."""

    def __init__(self, cell: Cell, name: str, size: int) -> None:
        known = [one for one, camera in cell.cameras.items() if camera.mount == "world"]
        if name not in known:
            raise Invalid("camera", name, f"a fixed one: {', '.join(known)}", "name one of them")
        self._cell, self._camera, self._size = cell, cell.cameras[name], size

    def pixels(self, places: Array) -> Array:
        """Of places (N, 3) in the arm's base frame."""
        camera = self._camera
        side = min(camera.height, camera.width)
        corner = np.array([camera.width - side, camera.height - side]) // 2
        found: Array = (project(camera, places)[0] + 0.5 - corner) * (self._size / side)
        return found

    def hands(self, episode: Episode) -> Array:
        """The box (4,) around the hand in each observation, as far as the picture reaches."""
        corners = box_corners((-AHEAD, -BESIDE, -BELOW), (AHEAD, BESIDE, ABOVE))
        boxes = []
        for x, y, z, yaw in self._places(episode):
            c, s = np.cos(yaw), np.sin(yaw)
            turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
            seen = self.pixels(corners @ turn.T + (x, y, z))
            boxes.append(np.concatenate([seen.min(0), seen.max(0)]))
        found: Array = np.array(boxes).clip(0, self._size)
        return found

    def grasped(self, episode: Episode) -> list[Array | None]:
        """Of a success: the pixel where the thing lay that the hand closed on, in observations
        when it did, the hand being open; None of the others."""
        grips = np.array([grip for grip, _ in states_of(episode)])
        lain: list[Array | None] = [None] * len(grips)
        opened = np.flatnonzero(grips == OPEN)
        if episode.success and grips[-1] == BETWEEN and len(opened):
            closing = int(opened[-1]) + 1
            shut = np.flatnonzero(grips[:closing] != OPEN)
            since = int(shut[-1]) + 1 if len(shut) else 0  # a miss before may have moved it
            [place] = self.pixels(self._places(episode)[[closing], :3])
            lain[since:closing] = [place] * (closing - since)
        return lain

    def barren(self) -> npt.NDArray[np.bool_]:
        """Of the picture: where nothing of the bin can be, nor be held above it."""
        box = self._cell.bin
        floor, rim = bin_corners(box)
        top = rim.copy()
        top[:, 2] = self._cell.workspace.high.value[2] + RISE
        seen = self.pixels(np.concatenate([floor, rim, top])).round().astype(np.int32)
        outline = cv2.convexHull(seen)
        reached = cv2.fillConvexPoly(np.zeros((self._size, self._size), np.uint8), outline, 1)
        return np.asarray(cv2.dilate(reached, np.ones((3, 3), np.uint8)) == 0)

    def _places(self, episode: Episode) -> Array:
        """The TCP (T + 1, 4): in the base frame, and its yaw."""
        names = [entry.name for entry in episode.info.interface.observation.proprio]
        if missing := [name for name in PLACE if name not in names]:
            found = f"no {', '.join(missing)}"
            where = f"{episode.info.episode_id}: proprio"
            raise Invalid(where, found, ", ".join(PLACE), "log what the arm reports")
        places = episode.proprio[:, [names.index(name) for name in PLACE]].astype(float)
        places[:, 2] += self._cell.bin.centre.value[2]
        found_places: Array = places
        return found_places

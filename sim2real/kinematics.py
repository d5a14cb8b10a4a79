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
TOOL = (1.0, -1.0, -1.0)  # the hand's axes point ahead, to the left and up; its tool's down
NEAR = 0.02  # m in front of a camera


class Calibrated:
    """A cell's camera, fixed or at the wrist; its pictures are the middle square, at `size` px."""

    def __init__(self, cell: Cell, name: str, size: int) -> None:
        if name not in cell.cameras:
            raise Invalid("camera", name, f"one of {', '.join(cell.cameras)}", "correct its name")
        self._cell, self._camera, self._size = cell, cell.cameras[name], size
        self.fixed = self._camera.mount == "world"

    def pixels(self, places: Array, tcp: Array) -> Array:
        """Of places (N, 3) in the arm's base frame, while the TCP is at (x, y, z, yaw). What lies
        behind the camera is not seen."""
        camera = self._camera
        if not self.fixed:
            places = (places - tcp[:3]) @ about_z(tcp[3]) * TOOL
        side = min(camera.height, camera.width)
        corner = np.array([camera.width - side, camera.height - side]) // 2
        seen, depth = project(camera, places)
        found: Array = (seen[depth > NEAR] + 0.5 - corner) * (self._size / side)
        return found

    def hands(self, episode: Episode) -> Array:
        """The box (4,) around the hand in each observation, as far as the picture reaches."""
        corners = box_corners((-AHEAD, -BESIDE, -BELOW), (AHEAD, BESIDE, ABOVE))
        boxes = []
        for tcp in self._places(episode):
            seen = self.pixels(corners @ about_z(tcp[3]).T + tcp[:3], tcp)
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
            places = self._places(episode)
            for k in range(since, closing):
                [*seen] = self.pixels(places[[closing], :3], places[k])
                lain[k] = seen[0] if seen else None
        return lain

    def barren(self) -> npt.NDArray[np.bool_]:
        """Of the picture: where nothing of the bin can be, nor be held above it."""
        if not self.fixed:
            found, wanted = "one at the wrist", "a fixed one: another sees other places each time"
            raise Invalid("camera", found, wanted, "learn of the simulator alone")
        box = self._cell.bin
        floor, rim = bin_corners(box)
        top = rim.copy()
        top[:, 2] = self._cell.workspace.high.value[2] + RISE
        places = np.concatenate([floor, rim, top])
        seen = self.pixels(places, np.zeros(4)).round().astype(np.int32)
        outline = cv2.convexHull(seen)
        reached = cv2.fillConvexPoly(np.zeros((self._size, self._size), np.uint8), outline, 1)
        return np.asarray(cv2.dilate(reached, np.ones((3, 3), np.uint8)) == 0)

    def _places(self, episode: Episode) -> Array:
        """The TCP (T + 1, 4): in the base frame, and its yaw."""
        places = tracked(episode)
        places[:, 2] += self._cell.bin.centre.value[2]
        return places


def tracked(episode: Episode) -> Array:
    """(T + 1, 4): where the TCP was, its height from the bin's floor, and its yaw."""
    names = [entry.name for entry in episode.info.interface.observation.proprio]
    if missing := [name for name in PLACE if name not in names]:
        where = f"{episode.info.episode_id}: proprio"
        wanted = ", ".join(PLACE)
        raise Invalid(where, f"no {', '.join(missing)}", wanted, "log what the arm reports")
    found: Array = episode.proprio[:, [names.index(name) for name in PLACE]].astype(float)
    return found


def about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])

"""A depth stream as a stereo camera gives it: noise that grows with distance, nothing known beside
edges and in patches without texture."""

from __future__ import annotations

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from calibration.cell import Camera
from policy.contract import Invalid
from policy.contract.depth import depth_bytes

from .camera import Crop, Drawer, Metres, Picture
from .eye import Eye
from .parameters import Imaging
from .sensor import Bank

Millimetres = npt.NDArray[np.uint16]
EDGE = 0.015  # m: a step that hides a strip from one of the two lenses
STRIP = 1 / 64  # of the picture, how wide it is
PATCHES = 8  # from top to bottom, of what may lack texture
BARE = 0.2  # of them, at most


class DepthEye(Eye):
    def __init__(
        self,
        name: str,
        camera: Camera,
        size: tuple[int, int],
        crop: Crop | None = None,
        camera_name: str | None = None,
    ) -> None:
        super().__init__(name, camera, size, crop, camera_name)
        if camera.depth is None:
            wanted, remedy = "a camera with depth", "give its depth in the cell file"
            raise Invalid(f"cameras.{camera_name or name}.depth", None, wanted, remedy)
        self.span = camera.depth.span.value
        self._bank = Bank(size[0] * size[1])
        across = max(round(STRIP * size[0]), 1)
        self._patches = (PATCHES, round(PATCHES * size[1] / size[0]))
        self._strip = np.ones((2 * across + 1, 2 * across + 1), np.uint8)

    def see(
        self,
        drawer: Drawer,
        data: mujoco.MjData,
        imaging: Imaging,
        random: np.random.Generator,
        shadows: bool,
    ) -> Picture:
        metres = drawer.depth(data, self.camera_name, self.size)
        return depth_bytes(self.measure(metres, imaging, random), self.span)

    def millimetres(
        self, metres: Metres, imaging: Imaging, random: np.random.Generator
    ) -> Millimetres:
        """As drivers hand it out (h, w): 0 where nothing is known."""
        found, (near, far) = self.measure(metres, imaging, random), self.span
        known = (found >= near) & (found <= far)
        return np.where(known, np.rint(1000 * found), 0).astype(np.uint16)

    def measure(self, metres: Metres, imaging: Imaging, random: np.random.Generator) -> Metres:
        """What the camera makes of a pinhole's distances: NaN where it finds nothing."""
        metres = self._lens.bend(metres, cv2.INTER_NEAREST)
        noise = self._bank.draw(random, self.size) * imaging.depth_noise
        found = metres * np.float32(imaging.depth_scale) * (1 + noise)
        if imaging.holes:
            step = cv2.dilate(metres, self._strip) - cv2.erode(metres, self._strip)
            hidden = (step > EDGE) & (random.random(self.size, np.float32) < imaging.holes)
            bare = cv2.resize(random.random(self._patches, np.float32), self.size[::-1])
            found[hidden | (bare < BARE * imaging.holes)] = np.nan
        return found

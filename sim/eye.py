"""One camera of the cell as a policy sees it: cropped, bent by its lens, developed."""

from __future__ import annotations

import mujoco
import numpy as np

from calibration.cell import Camera
from policy.contract import Invalid

from .camera import Crop, Drawer, Lens, Picture, aim, square
from .parameters import Imaging
from .sensor import Sensor


class Eye:
    """Draws `crop` of the camera's frame straight at `size` (h, w)."""

    def __init__(
        self,
        name: str,
        camera: Camera,
        size: tuple[int, int],
        crop: Crop | None = None,
        camera_name: str | None = None,  # where the picture is called otherwise
    ) -> None:
        self.name, self.camera, self.size = name, camera, size
        self.camera_name = camera_name or name
        self.crop = square(camera) if crop is None else crop
        top, left, height, width = self.crop
        if min(top, left) < 0 or top + height > camera.height or left + width > camera.width:
            wanted = f"within the {camera.height}x{camera.width} frame (top, left, height, width)"
            raise Invalid(f"crop.{name}", self.crop, wanted, "crop inside the camera's frame")
        if min(size) < 8:
            raise Invalid("size", size, "8 px or more", "draw larger pictures")
        self._lens = Lens(camera, self.crop, size)
        self._sensor = Sensor(size, self.crop, (camera.height, camera.width))

    def aim(self, model: mujoco.MjModel, zoom: float = 1.0) -> None:
        aim(model, self.camera_name, self.camera, self.crop, zoom, self._lens.margin)

    def see(
        self,
        drawer: Drawer,
        data: mujoco.MjData,
        imaging: Imaging,
        random: np.random.Generator,
        shadows: bool,
    ) -> Picture:
        return self.develop(self.draw(drawer, data, shadows), imaging, random)

    def draw(self, drawer: Drawer, data: mujoco.MjData, shadows: bool) -> Picture:
        """What a pinhole would see. The array is used again by the next drawing."""
        return drawer.draw(data, self.camera_name, self.size, shadows)

    def develop(self, light: Picture, imaging: Imaging, random: np.random.Generator) -> Picture:
        return self._sensor.develop(self._lens.bend(light), imaging, random)

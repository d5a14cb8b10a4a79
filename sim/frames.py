"""Pictures of an environment for people to look at: the camera's full frame, and from aside."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .camera import Drawer, Picture
from .config import SceneConfig
from .env import BinGrasp
from .eye import Eye

Array = npt.NDArray[np.float64]
CAMERA = "front"
# Finer shadows and edges than training needs.
FINE = SceneConfig(shadows=2048, multisamples=4)
ASIDE = (np.array([-0.3, -1.5, 0.75]), np.array([0.33, 0.0, 0.36]))  # from where, and whereto
ZOOM = 1.35


class Frames:
    """Takes pictures beside the environment's own, which stay what they would have been. With
    `aside` the camera is borrowed for a look at the whole cell."""

    def __init__(self, env: BinGrasp, size: tuple[int, int] = (480, 640), aside: bool = False):
        self._env, self._aside = env, aside
        camera = env.cell.cameras[CAMERA]
        self._eye = Eye(CAMERA, camera, size, (0, 0, camera.height, camera.width))
        self._drawer = Drawer.shared(env.world.model)
        self._random = np.random.default_rng(0)
        self._shadows = env.world.config.shadows > 0

    def take(self) -> Picture:
        env, world = self._env, self._env.world
        if env.parameters is None:
            raise RuntimeError("a picture before reset: call reset first")
        number = world.model.camera(CAMERA).id
        place, turn = world.data.cam_xpos[number], world.data.cam_xmat[number]
        before = place.copy(), turn.copy()
        self._eye.aim(world.model, ZOOM if self._aside else env.parameters.views[CAMERA].zoom)
        if self._aside:
            place[:], turn[:] = ASIDE[0], _towards(*ASIDE).ravel()
        imaging = env.parameters.imaging[CAMERA]
        picture = self._eye.see(self._drawer, world.data, imaging, self._random, self._shadows)
        place[:], turn[:] = before
        for eye in env.eyes:
            eye.aim(world.model, env.parameters.views[eye.camera_name].zoom)
        return picture

    def close(self) -> None:
        self._drawer.close()


def _towards(place: Array, target: Array) -> Array:
    """The turn of a camera there: MuJoCo's look along -z, with y up."""
    z = (place - target) / np.linalg.norm(place - target)
    x = np.cross([0.0, 0.0, 1.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)

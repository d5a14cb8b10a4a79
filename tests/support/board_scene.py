"""A board that is drawn, not computed: a printed sheet in MuJoCo before a camera of the cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from calibration.board import Board
from calibration.cell import Camera
from calibration.lens import Lens
from sim.camera import Drawer
from sim.eye import Eye
from sim.objects import quaternion
from sim.parameters import Imaging
from sim.sheet import add_sheet

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
# MuJoCo's cameras look along -z with y up, optical frames along z with y down.
OPTICAL = (0.0, 1.0, 0.0, 0.0)


class BoardScene:
    """The camera stands at the origin and the board is moved: only their places to each other are
    seen. One in a process at a time, as with all that draws."""

    def __init__(self, board: Board, camera: Camera, lens: Lens, seed: int = 0) -> None:
        self._board = board
        model: Any = lens.distortion_model
        hidden = replace(
            camera,
            focal=replace(camera.focal, value=lens.focal),
            centre=replace(camera.centre, value=lens.centre),
            distortion_model=model,
            distortion=replace(camera.distortion, value=lens.distortion),
        )
        self._model = _model(board, hidden)
        self._data = mujoco.MjData(self._model)
        whole = (0, 0, camera.height, camera.width)
        self._eye = Eye("front", hidden, (camera.height, camera.width), whole)
        self._eye.aim(self._model)
        self._random = np.random.default_rng(seed)
        self._drawer = Drawer(self._model)

    def picture(self, pose: Array, imaging: Imaging) -> Picture:
        """RGB, of the board at `pose` (4, 4) in the optical frame."""
        self._data.mocap_pos[0] = pose[:3, 3]
        self._data.mocap_quat[0] = quaternion(pose)
        mujoco.mj_forward(self._model, self._data)
        return self._eye.see(self._drawer, self._data, imaging, self._random, False)

    def close(self) -> None:
        self._drawer.close()


def _model(board: Board, camera: Camera) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    visual = spec.visual
    visual.global_.offwidth = visual.global_.offheight = max(camera.width, camera.height)
    visual.quality.offsamples = 8
    visual.map.znear, visual.map.zfar = 0.02, 10
    spec.stat.extent = 1.0
    add_sheet(spec, board)
    wall = spec.worldbody.add_body(pos=(0, 0, 3.0))
    wall.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(5, 5, 0.01), rgba=(0.5, 0.45, 0.4, 1))
    spec.worldbody.add_camera(
        name="front", quat=OPTICAL, resolution=(camera.width, camera.height),
        sensor_size=(camera.width * 1e-5, camera.height * 1e-5), focal_pixel=camera.focal.value,
    )  # fmt: skip
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, dir=(0.2, 0.3, 1.0), diffuse=(0.5,) * 3
    )
    return spec.compile()

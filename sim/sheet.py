"""A printed calibration board in the cell: in the hand, in the bin, or shown to a camera by
somebody who is not drawn. It is seen, and touches nothing."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from calibration import Cell
from calibration.board import Board
from calibration.chain import nudged
from calibration.guided import ASKS
from calibration.poses import centred, flat, held
from calibration.rigid import rigid, turned
from policy.contract import Invalid

from .objects import quaternion

Array = npt.NDArray[np.float64]
SHEET = "sheet"
MARGIN = 0.012  # m of white paper around the board
FINE = 64  # px a square, of the print
BACK = 0.002  # m to the paper's other side: a mesh needs a volume
AWAY = rigid(np.eye(3), (0.0, 0.0, -6.0))
AXES = np.diag([1.0, -1.0, -1.0])  # MuJoCo's cameras look along -z with y up
HOLDS_S = 0.4  # a person holds it still for as long
NEAR, FAR = 0.2, 0.7  # m from a camera whose focal length is a picture's width


def add_sheet(spec: mujoco.MjSpec, board: Board) -> None:
    """A body to move by hand, in the board's own frame."""
    edge = round(MARGIN / board.square * FINE)
    grey = np.pad(board.draw(FINE), edge, constant_values=255)
    paper = spec.add_texture(name="paper", type=mujoco.mjtTexture.mjTEXTURE_2D)
    paper.height, paper.width, paper.nchannel = *grey.shape, 3
    # Ink is not black, nor paper white: neither clips.
    paper.data = np.repeat((20 + 0.85 * grey).astype(np.uint8)[..., None], 3, axis=2).tobytes()
    material = spec.add_material(name="paper", specular=0.0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "paper"
    (width, height), margin = board.size, edge / FINE * board.square
    left, top, right, bottom = -margin, -margin, width + margin, height + margin
    corners = [(x, y, z) for z in (0.0, BACK) for y in (top, bottom) for x in (left, right)]
    faces = [(0, 2, 1), (1, 2, 3), (4, 5, 6), (5, 7, 6), (0, 1, 4), (1, 5, 4), (2, 6, 3),
             (3, 6, 7), (0, 4, 2), (2, 4, 6), (1, 3, 5), (3, 7, 5)]  # fmt: skip
    spec.add_mesh(
        name=SHEET, uservert=np.ravel(corners), userface=np.ravel(faces),
        usertexcoord=np.tile([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX,
    )  # fmt: skip
    sheet = spec.worldbody.add_body(name=SHEET, pos=AWAY[:3, 3], mocap=True)
    sheet.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH, meshname=SHEET, material="paper", contype=0, conaffinity=0
    )


class Sheet:
    """Where it is. Nobody holds or lays it as exactly as planned: by how much not, is hidden."""

    def __init__(self, model: mujoco.MjModel, cell: Cell, board: Board, seed: int) -> None:
        self._model, self._cell, self._board = model, cell, board
        self._mocap = int(model.body(SHEET).mocapid[0])
        self._tcp = model.site("tcp").id
        self._random = random = np.random.default_rng([seed, 8])
        off = np.concatenate([random.normal(0, np.radians(2), 3), random.normal(0, 0.005, 3)])
        self._held = nudged(held(board), off)
        x, y, z = cell.bin.centre.value
        aside = random.normal(0, 0.005, 2)
        yaw = cell.bin.yaw.value + float(random.normal(0, np.radians(2)))
        self._flat = flat(board, (x + aside[0], y + aside[1], z + BACK + 0.001), yaw)
        self._place = "away"
        self._camera, self._shown, self._until_ns = "", AWAY, 0

    def put(self, place: str, camera: str = "") -> None:
        if place not in ASKS:
            wanted = f"one of {', '.join(ASKS)}"
            raise Invalid("board", place, wanted, "say where the board is put")
        if place == "shown" and camera not in self._cell.cameras:
            wanted = f"one of {', '.join(self._cell.cameras)}"
            raise Invalid("camera", camera, wanted, "say to which camera it is shown")
        self._place, self._camera, self._until_ns = place, camera, 0

    def move(self, data: mujoco.MjData, now_ns: int) -> None:
        pose = self._pose(data, now_ns)
        data.mocap_pos[self._mocap] = pose[:3, 3]
        data.mocap_quat[self._mocap] = quaternion(pose)

    def _pose(self, data: mujoco.MjData, now_ns: int) -> Array:
        if self._place == "held":
            turn = data.site_xmat[self._tcp].reshape(3, 3)
            pose: Array = rigid(turn, data.site_xpos[self._tcp]) @ self._held
            return pose
        if self._place == "shown":
            if now_ns >= self._until_ns:
                self._until_ns, self._shown = now_ns + round(HOLDS_S * 1e9), self._waved()
            number = self._model.camera(self._camera).id
            turn = data.cam_xmat[number].reshape(3, 3) @ AXES
            return rigid(turn, data.cam_xpos[number]) @ self._shown
        return self._flat if self._place == "bin" else AWAY

    def _waved(self) -> Array:
        """In the camera's frame, as a person holds it before it: some way round, at some place."""
        random, camera = self._random, self._cell.cameras[self._camera]
        size, focal = np.array([camera.width, camera.height]), np.array(camera.focal.value)
        lean = random.uniform(-0.7, 0.7, 2)
        turn = turned([*lean, random.normal(0, 0.3)])
        far = NEAR * (FAR / NEAR) ** random.random() * focal[0] / camera.width
        board = np.array(self._board.size)
        # A corner of it may stick out of the picture; most of it does not.
        room = np.maximum(0.5 * size / focal * far - 0.25 * board, 0.0)
        aside = random.uniform(-1, 1, 2) * room
        return centred(self._board, turn, (*aside, far))

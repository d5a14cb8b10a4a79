"""From the cell's camera to pictures: intrinsics, crop, lens distortion, one renderer a process."""

from __future__ import annotations

import atexit
import os
from typing import ClassVar, TypeVar

# One process per core is the fastest way to draw many cells on a CPU; Mesa's own threads would
# only get in each other's way. Read when the first GL context is made.
os.environ.setdefault("LP_NUM_THREADS", "0")

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from calibration.cell import Camera
from policy.contract import Invalid

Picture = npt.NDArray[np.uint8]
Metres = npt.NDArray[np.float32]
Image = TypeVar("Image", npt.NDArray[np.uint8], npt.NDArray[np.float32])
Crop = tuple[int, int, int, int]  # top, left, height, width, as in a policy card


def square(camera: Camera) -> Crop:
    """The largest square in the middle of the frame."""
    side = min(camera.height, camera.width)
    return ((camera.height - side) // 2, (camera.width - side) // 2, side, side)


def aim(
    model: mujoco.MjModel,
    name: str,
    camera: Camera,
    crop: Crop,
    zoom: float = 1.0,
    margin: float = 1.0,
) -> None:
    """Give the model's camera the frustum of `crop`, `margin` times as wide around its middle;
    focal lengths times `zoom`."""
    top, left, height, width = crop
    (fx, fy), (cx, cy) = camera.focal.value, camera.centre.value
    number = model.camera(name).id
    pixel = 1e-5
    model.cam_sensorsize[number] = (width * pixel * margin, height * pixel * margin)
    # The middle of the picture from the principal point: to the right, and down. Pixel 0's centre
    # is at 0, as OpenCV has it, so the picture begins half a pixel before.
    middle = (left + width / 2 - 0.5 - cx, top + height / 2 - 0.5 - cy)
    model.cam_intrinsic[number] = (
        fx * zoom * pixel,
        fy * zoom * pixel,
        middle[0] * pixel,
        middle[1] * pixel,
    )


class Lens:
    """Bends a pinhole picture as the real lens does. The pinhole picture is drawn `margin` wider,
    so that a pincushion's corners are filled."""

    def __init__(self, camera: Camera, crop: Crop, size: tuple[int, int]) -> None:
        self.margin = 1.0
        self._map: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None
        if not any(camera.distortion.value):
            return
        (fx, fy), (cx, cy) = camera.focal.value, camera.centre.value
        top, left, height, width = crop
        rows, columns = size
        v, u = np.mgrid[0:rows, 0:columns]
        # Where in the full frame each pixel's centre is, and which ray came there.
        pixels = np.stack(
            [left + (u + 0.5) * width / columns - 0.5, top + (v + 0.5) * height / rows - 0.5],
            axis=-1,
        ).reshape(-1, 1, 2)
        matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
        terms = np.array(camera.distortion.value)
        fisheye = camera.distortion_model == "equidistant"
        undistort = cv2.fisheye.undistortPoints if fisheye else cv2.undistortPoints
        rays = undistort(pixels, matrix, terms).reshape(rows, columns, 2)
        flat = rays * (fx, fy) + (cx, cy)
        low, high = (
            np.array([left - 0.5, top - 0.5]),
            np.array([left + width - 0.5, top + height - 0.5]),
        )
        middle, half = (low + high) / 2, (high - low) / 2
        self.margin = max(1.0, float((np.abs(flat - middle) / half).max()))
        scaled = (flat - middle) / self.margin + middle
        x = (scaled[..., 0] + 0.5 - left) * columns / width - 0.5
        y = (scaled[..., 1] + 0.5 - top) * rows / height - 0.5
        self._map = (x.astype(np.float32), y.astype(np.float32))

    def bend(self, picture: Image, how: int = cv2.INTER_LINEAR) -> Image:
        if self._map is None:
            return picture
        bent = cv2.remap(picture, *self._map, how, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(bent, picture.dtype)


class Drawer:
    """Draws models of one build: the graphics context holds their meshes and textures, all else is
    read anew for each picture. One a process: in MuJoCo 3.17 a second renderer's end corrupts the
    first."""

    _alive: ClassVar[Drawer | None] = None

    @classmethod
    def shared(cls, model: mujoco.MjModel) -> Drawer:
        """The process's drawer, made for the first who asks; each closes it, the last one ends
        it."""
        if cls._alive is None:
            return cls(model)
        if not _same_build(cls._alive.model, model):
            raise RuntimeError(
                "a process draws with one renderer, and the one alive has another cell's or "
                "configuration's meshes and textures: close it first, or start a process"
            )
        cls._alive._users += 1
        return cls._alive

    def __init__(self, model: mujoco.MjModel) -> None:
        if Drawer._alive is not None:
            raise RuntimeError(
                "a process draws with one renderer: close the first, or start a process"
            )
        self._users = 1
        largest = model.vis.global_.offwidth
        self.model = model
        self._gl = mujoco.GLContext(largest, largest)
        self._gl.make_current()
        atexit.register(self._end)  # before MuJoCo's own farewell to the display
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self.scene = mujoco.MjvScene(model, maxgeom=400)
        self.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._option, self._perturb = mujoco.MjvOption(), mujoco.MjvPerturb()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._pictures: dict[tuple[int, int], Picture] = {}
        Drawer._alive = self  # last: what failed above is not alive

    def draw(
        self, data: mujoco.MjData, camera: str, size: tuple[int, int], shadows: bool
    ) -> Picture:
        """The picture of `size` (h, w). The array is used again by the next call of that size."""
        view = self._render(data, camera, size, shadows)
        buffer = self._buffer(size)
        mujoco.mjr_readPixels(buffer, None, view, self._context)
        return buffer[::-1]

    def depth(self, data: mujoco.MjData, camera: str, size: tuple[int, int]) -> Metres:
        """Metres along the optical axis (h, w)."""
        view = self._render(data, camera, size, shadows=False)
        buffer = np.empty(size, np.float32)
        mujoco.mjr_readPixels(None, buffer, view, self._context)
        return _metres(data.model, buffer)

    def both(
        self, data: mujoco.MjData, camera: str, size: tuple[int, int], shadows: bool
    ) -> tuple[Picture, Metres]:
        """Picture and depth of one drawing: the same as of two."""
        view = self._render(data, camera, size, shadows)
        picture, buffer = self._buffer(size), np.empty(size, np.float32)
        mujoco.mjr_readPixels(picture, buffer, view, self._context)
        return picture[::-1], _metres(data.model, buffer)

    def geoms(
        self, data: mujoco.MjData, camera: str, size: tuple[int, int]
    ) -> npt.NDArray[np.int32]:
        """The geom that each pixel shows (h, w); -1 where there is none."""
        segments, ids = mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR
        self.scene.flags[segments] = self.scene.flags[ids] = True
        view = self._render(data, camera, size, shadows=False)
        self.scene.flags[segments] = self.scene.flags[ids] = False
        buffer = self._buffer(size)
        mujoco.mjr_readPixels(buffer, None, view, self._context)
        drawn = buffer[::-1].astype(np.int32) @ (1, 1 << 8, 1 << 16)  # 0: nothing
        geoms = np.full(self.scene.ngeom + 1, -1, np.int32)
        for geom in self.scene.geoms[: self.scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geoms[geom.segid + 1] = geom.objid
        shown: npt.NDArray[np.int32] = geoms[drawn]
        return shown

    def _buffer(self, size: tuple[int, int]) -> Picture:
        return self._pictures.setdefault(size, np.empty((*size, 3), np.uint8))

    def _render(
        self, data: mujoco.MjData, camera: str, size: tuple[int, int], shadows: bool
    ) -> mujoco.MjrRect:
        height, width = size
        model = data.model
        if max(size) > model.vis.global_.offwidth:
            limit = str(model.vis.global_.offwidth)
            raise Invalid("size", size, f"at most {limit} px", "raise scene.largest_picture")
        self._camera.fixedcamid = model.camera(camera).id
        self.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        mujoco.mjv_updateScene(
            model, data, self._option, self._perturb, self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value, self.scene,
        )  # fmt: skip
        self._dress(model)
        view = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(view, self.scene, self._context)
        return view

    def _dress(self, model: mujoco.MjModel) -> None:
        """MuJoCo reads which texture a material carries when the context is made, never again."""
        context, count = self._context, model.nmat
        context.mat_texid[: model.mat_texid.size] = model.mat_texid.ravel()
        context.mat_texrepeat[: 2 * count] = model.mat_texrepeat.ravel()
        context.mat_texuniform[:count] = model.mat_texuniform

    def close(self) -> None:
        self._users -= 1
        if self._users == 0:
            self._end()

    def _end(self) -> None:
        atexit.unregister(self._end)
        self._context.free()
        self._gl.free()
        Drawer._alive = None


def _metres(model: mujoco.MjModel, buffer: Metres) -> Metres:
    """1 is near, 0 far away, and the reciprocal of the distance even between them."""
    near, far = (e * model.stat.extent for e in (model.vis.map.znear, model.vis.map.zfar))
    return np.ascontiguousarray(near * far / (near + buffer[::-1] * (far - near)))


def _same_build(one: mujoco.MjModel, other: mujoco.MjModel) -> bool:
    """Whether a context made for one serves the other: same meshes, textures and map sizes."""
    if one is other:
        return True
    arrays = ("mesh_vert", "mesh_face", "tex_width", "tex_height", "tex_type", "tex_data")
    quality = ("shadowsize", "offsamples", "numslices", "numstacks", "numquads")
    return (
        one.vis.global_.offwidth == other.vis.global_.offwidth
        and one.stat.extent == other.stat.extent
        and all(getattr(one.vis.quality, n) == getattr(other.vis.quality, n) for n in quality)
        and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in arrays)
    )

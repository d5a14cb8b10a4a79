"""From a shutter's states to a frame: drawing, lens, sensor, encoding. Belongs to whoever owns the
graphics context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from calibration.cell import Camera

from ..camera import Drawer, Metres, Picture
from ..depth import DepthEye, Millimetres
from ..eye import Eye
from ..parameters import Imaging

BLUR_PX = 1.0  # what moves less than this while the shutter is open is drawn once


@dataclass(frozen=True)
class Frame:
    """`sequence` numbers exposures: a lost frame leaves a gap. Stamps are twin time: when the
    shutter opened, when the frame was there to be read. What was not asked for is None; arrays are
    read-only."""

    camera: str
    sequence: int
    captured_ns: int
    arrived_ns: int
    picture: Picture | None  # RGB
    encoded: bytes | None  # the picture as JPEG
    depth: Millimetres | None  # (h, w), aligned to the picture; 0: unknown


@dataclass(eq=False)
class Shot:
    """What the shutter let in, on its way. Without states it repeats the frame before."""

    sequence: int
    serial: int  # of all the camera's shots: seeds the noise
    captured_ns: int
    arrival_ns: int
    imaging: Imaging
    states: list[mujoco.MjData] = field(default_factory=list)
    frozen: bool = False
    frame: Frame | None = None


class Film:
    """`picture`, `depth`: which of them are wanted. What is not is not drawn, and what is is the
    same with and without the other."""

    def __init__(
        self, name: str, camera: Camera, picture: bool, depth: bool, jpeg: int, seeds: Sequence[int]
    ) -> None:
        self.picture, self.depth = picture, depth
        self._jpeg, self._seeds = jpeg, list(seeds)
        whole = (0, 0, camera.height, camera.width)
        self.eye = (DepthEye if depth else Eye)(name, camera, whole[2:], whole)
        self._last: Frame | None = None

    def develop(self, shot: Shot, drawer: Callable[[], Drawer], shadows: bool) -> None:
        """Make `shot.frame`; it stays None where there is nothing to repeat."""
        last = self._last
        if shot.states:
            shot.frame = self._expose(shot, drawer(), shadows)
        elif last is not None and shot.frozen:
            shot.frame = replace(last, arrived_ns=shot.arrival_ns)
        elif last is not None:
            shot.frame = replace(
                last, sequence=shot.sequence, captured_ns=shot.captured_ns,
                arrived_ns=shot.arrival_ns,
            )  # fmt: skip
        self._last = shot.frame or last

    def _expose(self, shot: Shot, drawer: Drawer, shadows: bool) -> Frame:
        states = shot.states if self._moved(shot.states) > BLUR_PX else shot.states[:1]
        light, metres = self._draw(drawer, states[0], shadows)
        picture = depth = code = None
        if light is not None:
            if len(states) > 1:
                total = light.astype(np.float32)
                for state in states[1:]:
                    total += self.eye.draw(drawer, state, shadows)
                light = (total / len(states)).astype(np.uint8)
            picture = self.eye.develop(light, shot.imaging, self._noise(4, shot))
            picture.flags.writeable = False
            code = self._encode(picture)
        if metres is not None and isinstance(self.eye, DepthEye):
            depth = self.eye.millimetres(metres, shot.imaging, self._noise(6, shot))
            depth.flags.writeable = False
        return Frame(
            self.eye.name, shot.sequence, shot.captured_ns, shot.arrival_ns, picture, code, depth
        )

    def _draw(
        self, drawer: Drawer, state: mujoco.MjData, shadows: bool
    ) -> tuple[Picture | None, Metres | None]:
        eye = self.eye
        if not self.depth:
            return eye.draw(drawer, state, shadows), None
        if not self.picture:
            return None, drawer.depth(state, eye.camera_name, eye.size)
        return drawer.both(state, eye.camera_name, eye.size, shadows)

    def _noise(self, kind: int, shot: Shot) -> np.random.Generator:
        return np.random.default_rng([*self._seeds, kind, shot.serial])

    def _encode(self, picture: Picture) -> bytes | None:
        if not self._jpeg:
            return None
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._jpeg]
        _, code = cv2.imencode(".jpg", picture[..., ::-1], quality)
        return code.tobytes()

    def _moved(self, states: list[mujoco.MjData]) -> float:
        """px; how far anything that moves came between the first state and the last."""
        first, last = states[0], states[-1]
        ways: npt.NDArray[np.float64] = np.linalg.norm(last.xpos - first.xpos, axis=1)
        far = first.xpos - first.cam(self.eye.name).xpos
        depth = np.maximum(np.linalg.norm(far, axis=1), 0.1)
        return float((ways / depth).max() * self.eye.camera.focal.value[0])

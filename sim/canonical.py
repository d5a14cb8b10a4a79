"""Pairs: each picture twice, as it was randomised, and as it would be had nothing of its look been.

The canonical picture has the cell's own surfaces and lamps, nothing standing around, and a sensor
without noise. Things keep their coats, as published: what lies in the bin is nobody's to choose.
Cameras stay where the episode has them: of a pair, each pixel shows the same point.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from policy.contract import ImageSpec, Invalid
from policy.contract.canonical import (
    BIN,
    ROBOT,
    SURROUNDINGS,
    THINGS,
    canonical,
    canonical_depth,
    canonical_mask,
)
from policy.contract.depth import depth_bytes

from .camera import Drawer, Picture
from .depth import DepthEye
from .env import BinGrasp
from .eye import Eye
from .parameters import imaging_of, nominal
from .world import World

SPAN = (0.2, 2.0)  # m, of depth where the camera measures none itself: the table, from its edge
Kinds = npt.NDArray[np.uint8]


class CanonicalEye(Eye):
    """Of a camera that another eye looks through; both are aimed alike."""

    def __init__(self, eye: Eye) -> None:
        super().__init__(eye.name, eye.camera, eye.size, eye.crop)
        depth = eye.camera.depth
        self.span = depth.span.value if depth else SPAN
        self._imaging = replace(imaging_of(eye.camera), noise=0.0)

    @property
    def specs(self) -> tuple[ImageSpec, ...]:
        name, size = self.name, self.size
        return (
            ImageSpec(canonical(name), *size),
            ImageSpec(canonical_depth(name), *size, 1, self.span),
            ImageSpec(canonical_mask(name), *size, 1),
        )

    def pictures(
        self,
        drawer: Drawer,
        data: mujoco.MjData,
        random: np.random.Generator,
        shadows: bool,
        kinds: Kinds,
    ) -> dict[str, Picture]:
        """In the order of `specs`. Without noise, nothing is drawn from `random`."""
        light, metres = drawer.both(data, self.camera_name, self.size, shadows)
        picture = self.develop(light, self._imaging, random)
        bent = self._lens.bend(metres, cv2.INTER_NEAREST)
        kind = kinds[drawer.geoms(data, self.camera_name, self.size)]
        mask = self._lens.bend(kind, cv2.INTER_NEAREST)[..., None]
        names = [spec.name for spec in self.specs]
        return dict(zip(names, (picture, depth_bytes(bent, self.span), mask), strict=True))


class PairedGrasp(BinGrasp):
    """The same task; each colour camera brings its canonical pictures along."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        colours = [eye for eye in self.eyes if not isinstance(eye, DepthEye)]
        if not colours:
            found = ", ".join(eye.name for eye in self.eyes)
            raise Invalid("cameras", found, "a colour camera", "name one to pair its pictures")
        self._canonical = [CanonicalEye(eye) for eye in colours]
        added = tuple(spec for eye in self._canonical for spec in eye.specs)
        seen = self.interface.observation
        seen = replace(seen, images=(*seen.images, *added))
        self.interface = replace(self.interface, observation=seen)
        self._spaces()
        self._kinds = kinds_of(self.world)

    def _look(self) -> dict[str, Picture]:
        pictures = super()._look()
        assert self.parameters is not None
        assert self.drawer is not None
        drawer, data, random = self.drawer, self.world.data, self._noise
        look = self.parameters.look
        plain = nominal(self.cell, self.parameters.things).look
        self._appearance.paint(replace(plain, things=look.things))
        self.world.relight()
        for eye in self._canonical:
            pictures |= eye.pictures(drawer, data, random, self._shadows, self._kinds)
        self._appearance.paint(look)
        self.world.relight()
        return pictures


def kinds_of(world: World) -> Kinds:
    """What each geom is; after the last one, what no geom is."""
    model = world.model
    kinds = np.full(model.ngeom + 1, SURROUNDINGS, np.uint8)
    roots = model.body_rootid[model.geom_bodyid]
    kinds[:-1][roots == model.body("bin").id] = BIN
    kinds[:-1][roots == model.body_rootid[model.site("tcp").bodyid[0]]] = ROBOT
    for number, geoms in enumerate(world.slots.geoms):
        kinds[geoms] = THINGS + number
    return kinds

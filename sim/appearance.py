"""Paint an episode's look and camera errors onto the compiled model."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from calibration.rigid import turned
from policy.contract import Invalid

from . import stagecraft
from .objects import matrix, quaternion
from .parameters import PLAIN, Look, Surface, View
from .scene import LIGHTS
from .slots import shape
from .world import World

RGB = mujoco.mjtTextureRole.mjTEXROLE_RGB.value


class Appearance:
    """Knows the model's own camera poses, from which errors are counted."""

    def __init__(self, world: World) -> None:
        self.world, model = world, world.model
        self._positions, self._turns = model.cam_pos.copy(), model.cam_quat.copy()
        names = [model.texture(k).name for k in range(model.ntex)]
        self._named = {name: k for k, name in enumerate(names)}
        self.surfaces = [k for k, name in enumerate(names) if name.startswith("surface")]
        self._skins = [k for k, name in enumerate(names) if name.startswith("skin")]

    def paint(self, look: Look) -> None:
        model = self.world.model
        model.vis.headlight.ambient[:] = look.ambient
        for name, surface in look.surfaces.items():
            self._paint(name, surface, self.surfaces)
        for number, surface in enumerate(look.things):
            self._paint(f"object{number}", surface, self._skins)
            model.geom_rgba[self.world.slots.geoms[number], :3] = surface.rgb
        for number in range(LIGHTS):
            model.light_active[number] = number < len(look.lamps)
            if number < len(look.lamps):
                lamp = look.lamps[number]
                direction = np.array(lamp.direction) / np.linalg.norm(lamp.direction)
                centre = np.array(self.world.cell.bin.centre.value)
                model.light_pos[number] = centre - 1.8 * direction
                model.light_dir[number] = direction
                model.light_diffuse[number] = lamp.diffuse
                model.light_specular[number] = lamp.specular
                model.light_castshadow[number] = lamp.shadow
        self._strays(look)

    def view(self, name: str, view: View) -> None:
        model = self.world.model
        number = model.camera(name).id
        model.cam_pos[number] = self._positions[number] + np.array(view.shift)
        turn = matrix(self._turns[number]) @ turned(np.array(view.turn))
        model.cam_quat[number] = quaternion(turn)

    def _paint(self, name: str, surface: Surface, pool: list[int]) -> None:
        model = self.world.model
        material = model.material(name).id
        model.mat_rgba[material, :3] = surface.rgb
        model.mat_specular[material] = surface.specular
        model.mat_shininess[material] = surface.shininess
        model.mat_texrepeat[material] = surface.repeat
        model.mat_texid[material, RGB] = self._texture(surface.texture, pool)

    def _texture(self, texture: int | str, pool: list[int]) -> int:
        if isinstance(texture, str):
            if texture not in self._named:
                wanted = f"one of {', '.join(stagecraft.flat() | stagecraft.skins())}"
                raise Invalid("texture", texture, wanted, "correct its name")
            return self._named[texture]
        return -1 if texture == PLAIN else pool[texture % len(pool)]

    def _strays(self, look: Look) -> None:
        world, model = self.world, self.world.model
        for number in range(world.config.distractors):
            body = model.body(f"distractor{number}")
            geoms = np.arange(body.geomadr[0], body.geomadr[0] + body.geomnum[0])
            model.geom_rgba[geoms, 3] = 0.0
            if number >= len(look.strays):
                continue
            stray = look.strays[number]
            mocap = body.mocapid[0]
            world.data.mocap_pos[mocap] = stray.position
            half = stray.yaw / 2
            world.data.mocap_quat[mocap] = (math.cos(half), 0.0, 0.0, math.sin(half))
            self._paint(f"distractor{number}", stray.surface, self._skins)
            for part, geom in zip(stray.thing.parts, geoms, strict=False):
                shape(model, geom, part)
                model.geom_rgba[geom] = (*stray.surface.rgb, 1.0)

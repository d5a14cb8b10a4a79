"""Bodies of the compiled model that become one episode's objects, and stop being them."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from .bits import GRIPPER, OBJECT, SCENERY
from .objects import PARTS, Part, Thing

KINDS = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
}
# What an episode leaves in a slot would reach into the next one's last digits: inertias, in use or
# not, have a share in the solver's scales. So slots are first made as compiled.
_EDITED = {
    "body": ("mass", "ipos", "iquat", "inertia", "gravcomp"),
    "geom": ("type", "size", "pos", "quat", "aabb", "rbound", "friction", "sameframe", "contype",
             "conaffinity"),
}  # fmt: skip


class Slots:
    """`bodies` (n,) and `geoms` (n, PARTS) are the model's ids."""

    def __init__(self, model: mujoco.MjModel, count: int) -> None:
        self.model = model
        numbers = range(count)
        self.bodies = np.array([model.body(f"object{i}").id for i in numbers])
        self.geoms = np.array(
            [[model.geom(f"object{i}_{part}").id for part in range(PARTS)] for i in numbers]
        )
        rows = {"body": self.bodies, "geom": self.geoms}
        edited = [
            (getattr(model, f"{kind}_{name}"), rows[kind])
            for kind, names in _EDITED.items()
            for name in names
        ]
        self._compiled = [(array, where, array[where]) for array, where in edited]

    def clear(self) -> None:
        """As compiled: weightless, invisible, touching nothing."""
        for array, where, value in self._compiled:
            array[where] = value
        self.model.geom_rgba[self.geoms, 3] = 0.0  # the rest of it is paint

    def rub(self, things: Sequence[Thing], grip: float) -> None:
        """Give the things their friction, on pads that have `grip` on a thing of friction 1."""
        for thing, geoms in zip(things, self.geoms, strict=False):
            # Sliding, spinning, rolling: a ball on a real bin's floor comes to rest.
            self.model.geom_friction[geoms] = np.array([thing.friction, 0.01, 0.0005]) * grip

    def become(self, slot: int, thing: Thing) -> None:
        """Takes effect with the next mj_setConst."""
        model, body = self.model, self.bodies[slot]
        model.body_mass[body], model.body_gravcomp[body] = thing.mass, 0.0
        com, turn, moments = thing.inertial()
        model.body_ipos[body], model.body_iquat[body] = com, turn
        model.body_inertia[body] = moments
        for part, geom in zip(thing.parts, self.geoms[slot], strict=False):
            shape(model, geom, part)
            model.geom_contype[geom] = OBJECT
            model.geom_conaffinity[geom] = OBJECT | SCENERY | GRIPPER
            model.geom_rgba[geom, 3] = 1.0


def shape(model: mujoco.MjModel, geom: int, part: Part) -> None:
    """Make the geom into this part, its bounds included, which only the compiler would compute."""
    model.geom_type[geom], model.geom_size[geom] = KINDS[part.kind], part.size
    model.geom_pos[geom], model.geom_quat[geom] = part.position, part.quaternion
    model.geom_aabb[geom] = (0, 0, 0, *part.extent)
    model.geom_rbound[geom] = part.radius

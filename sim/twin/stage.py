"""What stands and lies in the twin's cell: the room, the objects, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .. import presets
from ..appearance import Appearance
from ..arm import CartesianArm
from ..bin import fill
from ..config import ObjectConfig
from ..eye import Eye
from ..gripper import FINGERS
from ..parameters import Imaging, Parameters
from ..sheet import Sheet
from ..world import World
from .config import Truth
from .faults import Faults
from .light import lit

Array = npt.NDArray[np.float64]
SEIZED = 1e7  # N*m*s or N*s of damping: dry friction is soft in MuJoCo, and creeps
OILED = 1e-4  # of the pads' friction
ABOVE_RIM = 0.05  # m; where the gripper must be before the bin is filled


class Stage:
    def __init__(
        self, world: World, eyes: dict[str, Eye], objects: ObjectConfig, seed: int
    ) -> None:
        self._world, self._eyes, self._objects = world, eyes, objects
        self._arm, self._appearance = CartesianArm(world), Appearance(world)
        self._damping = world.model.dof_damping.copy()
        self._preset: str | None = None
        board = world.config.board
        self._sheet = None if board is None else Sheet(world.model, world.cell, board, seed)
        self.parameters: Parameters

    def reset(self, seed: int, preset: str | None) -> Parameters:
        """Arm above the bin, gripper open, a room and objects of that seed."""
        world, space = self._world, self._world.cell.workspace
        self._preset, self.parameters = preset, self._draw(preset, seed)
        world.model.dof_damping[:] = self._damping
        low, high = np.array(space.low.value), np.array(space.high.value)
        self._arm.reset(np.array([*(low + high)[:2] / 2, high[2]]), 0.0, self.parameters)
        self._fill(seed)
        self._healthy = world.model.dof_damping.copy()
        return self.parameters

    def refill(self, seed: int) -> None:
        """Other objects; arm and room stay as they are."""
        self._refuse_arm_in_the_way()
        fresh = self._draw(self._preset, seed)
        look = replace(self.parameters.look, things=fresh.look.things)
        self.parameters = replace(self.parameters, things=fresh.things, look=look)
        self._fill(seed)

    def put_board(self, place: str, camera: str) -> None:
        """Where a person would; who lays it into the bin has emptied that."""
        if self._sheet is None:
            raise Invalid("board", "none", "a printed one", "open the twin with scene.board")
        self._sheet.put(place, camera)
        if place != "away" and self._world.things:
            self._world.place([], np.zeros((0, 3)), np.zeros((0, 4)))

    def tick(self, now_ns: int) -> None:
        if self._sheet is not None:
            self._sheet.move(self._world.data, now_ns)

    def misbehave(self, faults: Faults) -> None:
        """Of the faults, those of joints and fingers."""
        world = self._world
        damping = self._healthy.copy()
        damping[world.arm_dof[list(faults.stick)]] = SEIZED
        if faults.gripper_jam:
            damping[[world.model.joint(name).dofadr[0] for name in FINGERS]] = SEIZED
        world.model.dof_damping[:] = damping
        world.slots.rub(world.things, world.grip_friction * (OILED if faults.slip else 1.0))

    def imaging(self, now_ns: int, faults: Faults) -> dict[str, Imaging]:
        """Of each camera, in the light of that time."""
        own, look = self.parameters.imaging, self.parameters.look
        if not faults.exposure_drift and not faults.moving_shadow:
            return own
        headlight = float(self._world.model.vis.headlight.diffuse[0])
        return lit(own, look, headlight, self._world.cell, faults, now_ns)

    def truth(self, now_ns: int, force: Array) -> Truth:
        world = self._world
        place, yaw = world.tcp
        positions, quaternions = world.poses()
        return Truth(
            now_ns, place, yaw, world.angles, world.aperture, force, positions.copy(),
            quaternions.copy(), world.held(), self.parameters,
        )  # fmt: skip

    def _draw(self, preset: str | None, seed: int) -> Parameters:
        world = self._world
        return presets.episode(preset, world.cell, seed, self._objects, world.config.objects)

    def _fill(self, seed: int) -> None:
        """Fill, then paint: filling makes the objects anew."""
        world = self._world
        fill(world, list(self.parameters.things), np.random.default_rng([seed, 6]))
        self._appearance.paint(self.parameters.look)
        for name, eye in self._eyes.items():
            view = self.parameters.views[name]
            self._appearance.view(name, view)
            eye.aim(world.model, view.zoom)
        world.refresh()  # lamps and cameras stand still: no step computes them again

    def _refuse_arm_in_the_way(self) -> None:
        box, world = self._world.cell.bin, self._world
        lowest = box.centre.value[2] + box.wall_height.value + ABOVE_RIM
        height, held = float(world.tcp[0][2]), world.held()
        if height < lowest or held is not None:
            found = f"TCP at {height:.3f} m, holding {'nothing' if held is None else 'an object'}"
            wanted = f"an empty gripper {lowest:.3f} m high or more"
            remedy = "open the gripper and raise it, or reset the whole twin"
            raise Invalid("reset_objects", found, wanted, remedy)

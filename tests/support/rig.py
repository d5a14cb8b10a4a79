"""The guard on the twin in lockstep, without ROS: what the guard's node does, tick by tick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from regrasp_nodes.guard import Command, Guard, Sensed

from calibration import Cell, load_cell
from calibration.geometry import rotation
from sim.config import ObjectConfig
from sim.env import TWIN
from sim.ik import yaw_of
from sim.twin import ArmState, Twin, TwinConfig

Array = npt.NDArray[np.float64]
TICK = 0.01


class Rig:
    def __init__(self, cell: Cell | None = None, armed: bool = True) -> None:
        self.cell = cell or load_cell(TWIN)
        self.twin = Twin(
            self.cell, TwinConfig(mode="lockstep", cameras=(), objects=ObjectConfig(count=(1, 1)))
        )
        self.guard = Guard(self.cell)
        self.states: list[ArmState] = []
        self.commands: list[Command] = []
        self.twin.arm.states.listen(self.states.append)
        self.deaf = False  # the guard hears nothing of the arm
        for _ in range(5):
            self.tick()
        if armed:
            self.guard.arm(self.now)
            self.run(self.guard.patience.ramp)

    @property
    def now(self) -> int:
        return self.twin.time_ns

    @property
    def pose(self) -> Array:
        state = self.states[-1]
        return np.array([*state.tcp_position, yaw_of(rotation(state.tcp_orientation))])

    def tick(self) -> Command | None:
        self.twin.advance(TICK)
        if not self.deaf:
            if self.states[-1].mode != "ready":
                self.guard.stop(self.states[-1].reason)
            self.guard.sense(Sensed(self.states[-1].stamp_ns, self.pose))
        command = self.guard.tick(self.now)
        if command is not None:
            self.twin.arm.twist(command.velocity[:3], (0, 0, command.velocity[3]))
            self.commands.append(command)
        if (width := self.guard.take_grip()) is not None:
            self.twin.gripper.command(width)
        return command

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        for _ in range(round(seconds / TICK)):
            self.tick()
            if until():
                return True
        return False

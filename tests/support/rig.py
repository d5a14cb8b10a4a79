"""The guard on the twin in lockstep, without ROS: what the guard's node does, tick by tick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from regrasp_nodes.guard import Command

from benchmarks.driven import TICK, Driven
from calibration import Cell, load_cell
from policy.feed import FloatArray
from sim.config import ObjectConfig
from sim.env import TWIN
from sim.twin import ArmState, TwinConfig

__all__ = ["TICK", "Rig"]


class Rig(Driven):
    def __init__(self, cell: Cell | None = None, armed: bool = True) -> None:
        config = TwinConfig(mode="lockstep", cameras=(), objects=ObjectConfig(count=(1, 1)))
        super().__init__(cell or load_cell(TWIN), config)
        self.states: list[ArmState] = []
        self.commands: list[Command] = []
        self.twin.arm.states.listen(self.states.append)
        self.deaf = False  # the guard hears nothing of the arm
        for _ in range(5):
            self.tick()
        if armed:
            self.guard.arm(self.now)
            self.run(self.guard.patience.ramp)

    def sense(self) -> None:
        if not self.deaf:
            super().sense()

    def tick(self) -> Command | None:
        command = super().tick()
        if command is not None:
            self.commands.append(command)
        return command

    def wanting(self, **entries: float) -> FloatArray:
        """An action of these, and nothing else."""
        names = self.guard.limits.spec.names
        return np.array([entries.get(name, 0.0) for name in names], np.float32)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        for _ in range(round(seconds / TICK)):
            self.tick()
            if until():
                return True
        return False

"""An arm in lockstep that the guard drives: what follows commands and tells poses, without ROS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from regrasp_nodes.guard import Command, Guard, Sensed

from calibration import Cell
from calibration.geometry import rotation
from sim.ik import yaw_of
from sim.twin import ArmState, ClawState, Twin, TwinConfig

Array = npt.NDArray[np.float64]
TICK = 0.01  # s


class Driven:
    """An arm that the guard drives, tick by tick."""

    def __init__(self, cell: Cell, config: TwinConfig) -> None:
        self.cell, self.twin, self.guard = cell, Twin(cell, config), Guard(cell)
        self.arm: ArmState | None = None
        self.claw: ClawState | None = None
        self.twin.arm.states.listen(self._on_arm)
        self.twin.gripper.states.listen(self._on_claw)

    def _on_arm(self, state: ArmState) -> None:
        self.arm = state

    def _on_claw(self, state: ClawState) -> None:
        self.claw = state

    @property
    def now(self) -> int:
        return self.twin.time_ns

    def pose(self) -> Array:
        assert self.arm is not None
        return np.array([*self.arm.tcp_position, yaw_of(rotation(self.arm.tcp_orientation))])

    def sense(self) -> None:
        assert self.arm is not None
        if self.arm.mode != "ready":
            self.guard.stop(self.arm.reason)
        self.guard.sense(Sensed(self.arm.stamp_ns, self.pose()))

    def tick(self) -> Command | None:
        self.twin.advance(TICK)
        self.sense()
        command = self.guard.tick(self.now)
        if command is not None:
            self.twin.arm.twist(command.velocity[:3], (0, 0, command.velocity[3]))
        if (width := self.guard.take_grip()) is not None:
            self.twin.gripper.command(width)
        return command

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.tick()

    def arm_it(self) -> None:
        """As the person beside it would: clear what stopped the arm, and arm the guard."""
        assert self.arm is not None
        if self.arm.mode != "ready":
            self.twin.arm.clear()
        self.wait(0.1)
        self.guard.arm(self.now)
        self.wait(self.guard.patience.ramp)

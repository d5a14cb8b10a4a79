"""Cartesian displacement of the simulated arm, with the hand-eye error a real one has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calibration.geometry import down

from .parameters import Parameters
from .world import World

Array = npt.NDArray[np.float64]


class CartesianArm:
    """Keeps the commanded pose. Displacements add up on it, so that tracking lag does not eat
    into them; a leash keeps it near the measured pose, so that a blocked arm does not wind up."""

    def __init__(self, world: World) -> None:
        self.world = world
        space, control = world.cell.workspace, world.cell.control
        self._low, self._high = np.array(space.low.value), np.array(space.high.value)
        self._yaws = space.yaw.value
        self._step = control.max_step.value
        self.unreached = 0
        self._shift, self._yaw_shift = np.zeros(3), 0.0
        self._base_gain: tuple[Array, ...] = tuple(
            array.copy()
            for array in (
                world.model.dof_damping,
                world.model.dof_frictionloss,
                world.model.actuator_forcerange,
            )
        )

    def reset(self, place: Array, yaw: float, parameters: Parameters) -> None:
        """At rest there, gripper open, dynamics as the episode has them."""
        world, factors = self.world, parameters.dynamics
        damping, friction, force = self._base_gain
        arm = world.arm_dof
        world.model.dof_damping[arm] = damping[arm] * factors.damping
        world.model.dof_frictionloss[arm] = friction[arm] * factors.joint_friction
        world.grip_friction = world.cell.gripper.friction.value * factors.pad_friction
        world.model.actuator_forcerange[world.gripper] = force[world.gripper] * factors.grip_force
        self._shift, self._yaw_shift = np.array(parameters.misfit.shift), parameters.misfit.yaw
        self.place, self.yaw = place.copy(), yaw
        angles, reached = self._solve(world.kinematics.home)
        if not reached:
            text = f"the pose {place.round(3)}, yaw {yaw:.2f} is out of the arm's reach"
            raise ValueError(f"workspace: {text}; shrink the workspace or move the bin")
        world.reset(angles)
        world.closing_speed *= factors.closing_speed

    def displace(self, by: Array, turn: float, seconds: float, delay: float) -> None:
        """Command a displacement: to arrive after `delay`, and to be done `seconds` later."""
        found, _ = self.reported()
        # As far as a free arm may lag: its servo, and what is still on its way.
        leash = self._step * (0.6 + delay / seconds)
        near = np.clip(self.place, found - leash, found + leash)
        place = np.clip(near + by, self._low, self._high)
        self.place, before = place, self.place
        self.yaw, yaw_before = float(np.clip(self.yaw + turn, *self._yaws)), self.yaw
        angles, reached = self._solve(self.world.setpoint)
        if not reached:  # hold still rather than go somewhere else
            self.place, self.yaw = before, yaw_before
            self.unreached += 1
            return
        self.world.move(angles, seconds, delay)

    def reported(self) -> tuple[Array, float]:
        """The pose as the arm's own (mis)calibration has it."""
        place, yaw = self.world.tcp
        return place + self._shift, yaw + self._yaw_shift

    def _solve(self, start: Array) -> tuple[Array, bool]:
        return self.world.kinematics.solve(
            self.place - self._shift, down(self.yaw - self._yaw_shift), start
        )

"""Grips that hold and grips that slip: the simulated gripper, and a block of known mass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration import Cell
from calibration.slip import Friction, Grip, friction, next_force
from sim.config import SceneConfig
from sim.objects import Part, Thing
from sim.world import World

BLOCK = Thing("block", (Part("box", (0.02, 0.02, 0.02)),), density=8000.0, friction=1.0)  # 0.5 kg
GRAVITY = 9.81
TESTS = 10
CLOSES_S, HANGS_S = 0.8, 0.6
SLIPPED = 0.01  # m


def hidden_grip(cell: Cell, random: np.random.Generator) -> Cell:
    """The cell with another force and friction, as no file has it."""
    gripper = cell.gripper
    force, rubs = float(random.uniform(25, 60)), float(random.uniform(0.4, 1.2))
    return replace(
        cell,
        gripper=replace(
            gripper, force=replace(gripper.force, value=force),
            friction=replace(gripper.friction, value=rubs),
        ),
    )  # fmt: skip


def slip_tests(cell: Cell) -> tuple[Friction, float]:
    """The friction found, and the strongest force that the gripper told of itself."""
    world = World(cell, SceneConfig(timestep=0.002))
    strongest = _grip(world, 1.0).force
    grips: list[Grip] = []
    for _ in range(TESTS):
        share = next_force(grips, BLOCK.mass * GRAVITY, strongest) / strongest
        grips.append(_grip(world, min(share, 1.0)))
    return friction(grips), strongest


def _grip(world: World, share: float) -> Grip:
    """With this share of the gripper's force: gripped without weight, then let hang."""
    world.reset()
    full = 2 * world.cell.gripper.force.value
    world.model.actuator_forcerange[world.gripper] = (-share * full, share * full)
    world.model.opt.gravity[:] = 0
    world.place([BLOCK], world.tcp[0][None], np.array([[1.0, 0, 0, 0]]))
    world.grip(0.0)
    world.advance(CLOSES_S)
    force = world.grip_force
    before = world.poses()[0][0, 2]
    world.model.opt.gravity[2] = -GRAVITY
    world.advance(HANGS_S)
    fell = float(before - world.poses()[0][0, 2])
    return Grip(force, BLOCK.mass * GRAVITY, fell > SLIPPED)

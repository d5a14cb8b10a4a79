"""Grasps from above, from the objects' true shapes: what fits between the fingers, and whether the
fingers fit between the objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bin import inside
from .gripper import PAD
from .objects import matrix
from .world import World

Array = npt.NDArray[np.float64]
YAWS = 12
ROOM = 0.008  # m to spare between the open fingers
FINGER = 0.020  # m a finger takes outside the opening
SWEEP = 0.012  # half the fingers' width, with a margin
PALM = (0.034, 0.070, 0.058)  # half width, half length, height above the TCP


@dataclass(frozen=True)
class Grasp:
    place: Array
    yaw: float
    clear: float  # height at which nothing is in the way
    thing: int
    centre: Array  # of the thing, when this was planned


class Clutter:
    """Points on everything in the bin, and whose they are."""

    def __init__(self, world: World) -> None:
        random = np.random.default_rng(0)
        self.world = world
        self.positions, quaternions = world.poses()
        self.turns = [matrix(q) for q in quaternions]
        posed = zip(world.things, self.turns, self.positions, strict=True)
        self.clouds = [thing.surface(random, 240) @ turn.T + at for thing, turn, at in posed]
        self.points = np.concatenate(self.clouds)
        self.owner = np.repeat(np.arange(len(self.clouds)), [len(c) for c in self.clouds])

    def middles(self, number: int) -> list[Array]:
        """Where to take a thing: each part's middle and, last, its centre of mass."""
        thing, turn = self.world.things[number], self.turns[number]
        spots = [np.array(part.position) for part in thing.parts] + [thing.inertial()[0]]
        return [self.positions[number] + turn @ spot for spot in spots]


def plan(world: World, place: Array, yaw: float) -> Grasp | None:
    """The best grasp for a gripper now at `place` and `yaw`, or None if nothing fits."""
    clutter = Clutter(world)
    clear = float(clutter.points[:, 2].max()) + PAD[2] + 0.015
    best, best_cost = None, math.inf
    for number in range(len(world.things)):
        middles = clutter.middles(number)
        for angle in np.linspace(-math.pi / 2, math.pi / 2, YAWS, endpoint=False):
            for middle in middles:
                found = _try(clutter, number, middle, middles[-1], float(angle))
                if found is None:
                    continue
                spot, cost = found
                cost += 0.02 * _half(angle - yaw) + 0.1 * float(np.hypot(*(spot[:2] - place[:2])))
                if cost < best_cost:
                    centre = clutter.positions[number].copy()
                    best, best_cost = Grasp(spot, float(angle), clear, number, centre), cost
    return best


def _try(
    clutter: Clutter, number: int, middle: Array, com: Array, yaw: float
) -> tuple[Array, float] | None:
    """Where the TCP goes to take the thing around `middle` at this yaw, and what speaks against
    it; None if it does not fit between the fingers or is out of the workspace."""
    world, cloud = clutter.world, clutter.clouds[number]
    low, high = (
        np.array(end.value) for end in (world.cell.workspace.low, world.cell.workspace.high)
    )
    along = np.array([math.cos(yaw), math.sin(yaw)])
    across = np.array([math.sin(yaw), -math.cos(yaw)])
    flat = cloud[:, :2] - middle[:2]
    strip = np.abs(flat @ along) < SWEEP
    if not strip.any():
        return None
    top, bottom = float(cloud[strip, 2].max()), float(cloud[strip, 2].min())
    # Deep enough to hold below the widest place, not so deep that the palm presses on top.
    height = max(low[2], min(0.5 * (top + bottom), top - 0.012), top - 0.040)
    sides = flat[strip & (np.abs(cloud[:, 2] - height) < PAD[2] + 0.01)] @ across
    if not len(sides):
        return None
    width, offset = float(np.ptp(sides)), float(sides.max() + sides.min()) / 2
    spot = np.array([*(middle[:2] + offset * across), height])
    if width > world.opening - ROOM or (spot[:2] < low[:2]).any() or (spot[:2] > high[:2]).any():
        return None
    cost = _crowding(clutter, number, spot, along, across)
    cost += 4.0 * float(np.hypot(*(spot[:2] - com[:2]))) + max(0.0, width - 0.05)
    return spot, cost


def _crowding(clutter: Clutter, number: int, spot: Array, along: Array, across: Array) -> float:
    """What fingers and palm would meet on their way down, and what else would get between."""
    world, (_, _, height) = clutter.world, spot
    flat, z = clutter.points[:, :2] - spot[:2], clutter.points[:, 2]
    x, y = np.abs(flat @ along), np.abs(flat @ across)
    inner, outer = world.opening / 2, world.opening / 2 + FINGER
    beside = (x < SWEEP) & (z > height - PAD[2] - 0.002)
    fingers = beside & (y > inner - 0.003) & (y < outer)
    palm = (x < PALM[0]) & (y < PALM[1]) & (z > height + PALM[2] - 0.006)
    between = beside & (y < inner) & (clutter.owner != number)
    corners = [side * outer * across + end * SWEEP * along for side in (-1, 1) for end in (-1, 1)]
    tips = np.array([[*(spot[:2] + corner), height - PAD[2]] for corner in corners])
    walls = (~inside(world.cell.bin, tips)).sum()
    return float(0.02 * fingers.sum() + 0.02 * palm.sum() + 0.01 * between.sum() + 0.5 * walls)


def _half(angle: float) -> float:
    """The angle between two grasps, which are the same after half a turn."""
    return abs((angle + math.pi / 2) % math.pi - math.pi / 2)

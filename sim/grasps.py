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


def plan(
    world: World, place: Array, yaw: float, skip: frozenset[int] = frozenset()
) -> Grasp | None:
    """The best grasp in reach, or None if nothing fits."""
    if not world.things:
        return None
    random = np.random.default_rng(0)
    positions, quaternions = world.poses()
    clouds = [
        thing.surface(random, 240) @ matrix(q).T + p
        for thing, p, q in zip(world.things, positions, quaternions, strict=True)
    ]
    everything = np.concatenate(clouds)
    owner = np.repeat(np.arange(len(clouds)), [len(cloud) for cloud in clouds])
    space = world.cell.workspace
    low, high = np.array(space.low.value), np.array(space.high.value)
    clear = float(everything[:, 2].max()) + PAD[2] + 0.015
    best, best_cost = None, math.inf
    for number, cloud in enumerate(clouds):
        if number in skip:
            continue
        thing, turn = world.things[number], matrix(quaternions[number])
        middles = [positions[number] + turn @ np.array(part.position) for part in thing.parts]
        middles.append(positions[number] + turn @ thing.inertial()[0])
        com = middles[-1]
        for angle in np.linspace(-math.pi / 2, math.pi / 2, YAWS, endpoint=False):
            along = np.array([math.cos(angle), math.sin(angle)])
            across = np.array([math.sin(angle), -math.cos(angle)])
            for middle in middles:
                found = _at(world, cloud, everything, owner != number, middle, com, along, across, low, high)  # fmt: skip
                if found is None:
                    continue
                spot, cost = found
                cost += 0.02 * abs(_half(angle - yaw)) + 0.1 * float(
                    np.hypot(*(spot[:2] - place[:2]))
                )
                if cost < best_cost:
                    best_cost = cost
                    best = Grasp(
                        spot, _near(angle, space.yaw.value), clear, number, positions[number].copy()
                    )
    return best


def _at(
    world: World, cloud: Array, everything: Array, others: npt.NDArray[np.bool_], middle: Array,
    com: Array, along: Array, across: Array, low: Array, high: Array,
) -> tuple[Array, float] | None:  # fmt: skip
    flat = cloud[:, :2] - middle[:2]
    strip = np.abs(flat @ along) < SWEEP
    if not strip.any():
        return None
    top = float(cloud[strip, 2].max())
    bottom = float(cloud[strip, 2].min())
    # Deep enough to hold below the widest place, not so deep that the palm presses on top.
    height = max(low[2], min(0.5 * (top + bottom), top - 0.012), top - 0.040)
    sides = flat[strip & (np.abs(cloud[:, 2] - height) < PAD[2] + 0.01)] @ across
    if not len(sides):
        return None
    width, offset = float(sides.max() - sides.min()), float(sides.max() + sides.min()) / 2
    if width > world.opening - ROOM:
        return None
    spot = np.array([*(middle[:2] + offset * across), height])
    if (spot[:2] < low[:2]).any() or (spot[:2] > high[:2]).any():
        return None
    points = everything[:, :2] - spot[:2]
    x, y, z = np.abs(points @ along), np.abs(points @ across), everything[:, 2]
    outer = world.opening / 2 + FINGER
    fingers = (
        (x < SWEEP) & (y > world.opening / 2 - 0.003) & (y < outer) & (z > height - PAD[2] - 0.002)
    )
    palm = (x < PALM[0]) & (y < PALM[1]) & (z > height + PALM[2] - 0.006)
    between = others & (x < SWEEP) & (y < world.opening / 2) & (z > height - PAD[2])
    tips = spot + np.array([[*(side * outer * across + end * SWEEP * along), -PAD[2]] for side in (-1, 1) for end in (-1, 1)])  # fmt: skip
    walls = int((~inside(world.cell.bin, tips)).sum())
    cost = 0.02 * fingers.sum() + 0.02 * palm.sum() + 0.01 * between.sum() + 0.5 * walls
    cost += 4.0 * float(np.hypot(*(spot[:2] - com[:2]))) + 1.0 * max(0.0, width - 0.05)
    return spot, float(cost)


def _half(angle: float) -> float:
    """The angle between two grasps, which are the same after half a turn."""
    return abs((angle + math.pi / 2) % math.pi - math.pi / 2)


def _near(angle: float, limits: tuple[float, float]) -> float:
    return float(np.clip(angle, *limits))

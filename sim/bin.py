"""Fill the bin: where objects are dropped, and when they lie still."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from calibration.cell import Bin

from .objects import Thing, about, matrix
from .world import World

Array = npt.NDArray[np.float64]
STILL = 0.005  # m/s
DROP = 0.004  # m above what lies below
TRIES = 4
SPOTS = 6


def local(box: Bin, points: Array) -> Array:
    """Base frame -> the bin's own, origin in the middle of its floor."""
    c, s = math.cos(box.yaw.value), math.sin(box.yaw.value)
    turned: Array = (points - np.array(box.centre.value)) @ np.array(
        [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    )
    return turned


def inside(box: Bin, points: Array) -> npt.NDArray[np.bool_]:
    """Within the sloped walls, and not below the floor."""
    at = local(box, points)
    half = np.array(box.floor.value) / 2 + math.tan(box.wall_slope.value) * np.clip(
        at[:, 2:], 0, box.wall_height.value
    )
    return (np.abs(at[:, :2]) <= half).all(axis=1) & (at[:, 2] > -0.002)


def fill(world: World, things: Sequence[Thing], random: np.random.Generator) -> None:
    """Lay the things into the bin, each where least lies below it, and wait until they rest. What
    rolls out is dropped in again. The arm is not in the way."""
    world.touchable(False)
    try:
        _lay(world, things, random)
        for _ in range(TRIES):
            settle(world)
            out = np.flatnonzero(~inside(world.cell.bin, world.poses()[0]))
            if not len(out):
                return
            for slot in out:
                _drop(world, int(slot), random)
        settle(world)
    finally:
        world.touchable(True)


def _lay(world: World, things: Sequence[Thing], random: np.random.Generator) -> None:
    tops: list[tuple[Array, float, float]] = []
    positions, turns = [], []
    for thing in things:
        reach, height = _reach(thing), 2 * _half_height(thing)
        spots = [_spot(world, thing, random) for _ in range(SPOTS)]
        bases = [_base(world, place, reach, tops) for place, _ in spots]
        lowest = int(np.argmin(bases))
        (place, turn), base = spots[lowest], bases[lowest] + DROP
        tops.append((place, reach, base + height))
        positions.append([*place, base + height / 2])
        turns.append(turn)
    world.place(things, np.array(positions), np.array(turns))


def _drop(world: World, slot: int, random: np.random.Generator) -> None:
    """From above all others."""
    thing = world.things[slot]
    place, turn = _spot(world, thing, random)
    others = np.delete(world.poses()[0][:, 2], slot)
    height = others.max(initial=world.cell.bin.centre.value[2]) + 2 * _reach(thing)
    world.put(slot, np.array([*place, height]), np.array(turn))


def settle(world: World, longest: float = 2.0) -> None:
    for _ in range(round(longest / 0.1)):
        world.advance(0.1)
        if world.object_speeds().max(initial=0.0) < STILL:
            return


def _spot(
    world: World, thing: Thing, random: np.random.Generator
) -> tuple[Array, tuple[float, ...]]:
    """A place on the floor, away from the walls by the thing's own reach, and a turn."""
    box = world.cell.bin
    room = np.maximum(np.array(box.floor.value) / 2 - _reach(thing) * 0.8, 0.01)
    u, v = random.uniform(-room, room)
    c, s = math.cos(box.yaw.value), math.sin(box.yaw.value)
    x, y, _ = box.centre.value
    return np.array([x + c * u - s * v, y + s * u + c * v]), about(
        "z", random.uniform(-math.pi, math.pi)
    )


def _base(
    world: World, place: Array, reach: float, tops: list[tuple[Array, float, float]]
) -> float:
    """The top of all that a circle of this radius would cover there."""
    base: float = world.cell.bin.centre.value[2]
    for other, radius, top in tops:
        if float(np.hypot(*(place - other))) < reach + radius:
            base = max(base, top)
    return base


def _reach(thing: Thing) -> float:
    """Radius of the circle around the thing, seen from above."""
    return max(
        float(np.hypot(*p.position[:2]))
        + float(np.linalg.norm(p.extent[:2]) if p.kind == "box" else p.extent.max())
        for p in thing.parts
    )


def _half_height(thing: Thing) -> float:
    return max(
        abs(p.position[2]) + float(np.abs(matrix(p.quaternion)[2]) @ p.extent) for p in thing.parts
    )

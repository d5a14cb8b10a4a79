"""Rooms that training does not know: surrogates of reality on which transfer is measured.

A preset differs from the nominal cell in everything that a camera sees, and a little in how things
feel and how long they take. `randomize.sample` never draws its textures. Nothing here is a range to
train on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from calibration import Cell
from policy.contract import Invalid

from .config import ObjectConfig
from .families import sample as sample_thing
from .objects import Thing
from .parameters import (
    Look,
    Parameters,
    Stray,
    Surface,
    Vec,
    nominal,
)
from .randomize import things_of
from .rooms import FACTORY, KITCHEN, LAB_NIGHT, Room

Preset = Callable[[Cell, tuple[Thing, ...], int], Parameters]
BOXES = ("block", "bracket", "tee", "cross")
# Where on the table something may stand beside the bin, from the bin's centre, m.
SPOTS = ((0.34, -0.20), (0.36, 0.12), (-0.06, 0.40), (-0.30, 0.36), (0.16, -0.40), (0.20, 0.42))


def _furnish(room: Room, cell: Cell, things: tuple[Thing, ...], seed: int) -> Parameters:
    random = np.random.default_rng([seed, 1729])
    base = nominal(cell, things)
    hues = [room.hues[k] for k in random.permutation(len(room.hues))]
    coats = tuple(
        Surface(hues[k % len(hues)], _skin(room, thing.family, random), 1.0, *room.gloss)
        for k, thing in enumerate(things)
    )
    lamps = tuple(
        replace(lamp, direction=_vec(np.array(lamp.direction) + random.normal(0, 0.03, 3)))
        for lamp in room.lamps
    )
    spots = random.permutation(len(SPOTS))
    strays = tuple(
        _stray(cell, family, rgb, SPOTS[spot], room, random)
        for (family, rgb), spot in zip(room.strays, spots, strict=False)
    )
    timing = base.timing
    return replace(
        base,
        look=Look(base.look.surfaces | room.surfaces, lamps, room.ambient, coats, strays),
        views={
            name: replace(room.view, shift=_vec(room.view.shift + random.normal(0, 0.002, 3)))
            for name in cell.cameras
        },
        imaging={
            name: replace(
                room.imaging,
                noise=room.imaging.noise * camera.noise.value,
                vignetting=room.imaging.vignetting * camera.vignetting.value,
                # Of its own light, infrared: as measured, whatever the room's.
                depth_noise=base.imaging[name].depth_noise,
            )
            for name, camera in cell.cameras.items()
        },
        dynamics=room.dynamics,
        timing=replace(
            timing,
            camera=min(timing.camera * room.slower, 0.9 * cell.control.period.value),
            command=timing.command * room.slower,
            gripper=timing.gripper * room.slower,
        ),
    )


def _stray(
    cell: Cell, family: str, rgb: Vec, spot: tuple[float, float], room: Room,
    random: np.random.Generator,
) -> Stray:  # fmt: skip
    thing = sample_thing(random, (0.05, 0.08), (family,))
    x, y, _ = cell.bin.centre.value
    half, middle = np.array(cell.table.size.value) / 2 - 0.05, cell.table.centre.value[:2]
    at = np.clip(np.array([x, y]) + spot + random.normal(0, 0.015, 2), middle - half, middle + half)
    height = cell.table.height.value + max(p.position[2] + float(p.extent[2]) for p in thing.parts)
    coat = Surface(rgb, _skin(room, family, random), 1.0, *room.gloss)
    return Stray(thing, _vec((*at, height)), float(random.uniform(-math.pi, math.pi)), coat)


def _skin(room: Room, family: str, random: np.random.Generator) -> str | int:
    drawn = int(random.integers(len(room.skins)))
    return room.skins[drawn if family in BOXES else 0]


def _vec(values: Any) -> Vec:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def factory(cell: Cell, things: tuple[Thing, ...], seed: int) -> Parameters:
    """Machined parts in a green crate on a steel bench, under tubes high above."""
    return _furnish(FACTORY, cell, things, seed)


def kitchen(cell: Cell, things: tuple[Thing, ...], seed: int) -> Parameters:
    """Groceries in an enamel tray on an oak worktop, in the morning sun."""
    return _furnish(KITCHEN, cell, things, seed)


def lab_night(cell: Cell, things: tuple[Thing, ...], seed: int) -> Parameters:
    """A desk lamp beside a black optical table; the camera exposes for long and is noisy."""
    return _furnish(LAB_NIGHT, cell, things, seed)


PRESETS: dict[str, Preset] = {"factory": factory, "kitchen": kitchen, "lab_night": lab_night}
ANY = ObjectConfig()


def episode(
    name: str | None, cell: Cell, seed: int, objects: ObjectConfig = ANY, slots: int = 12
) -> Parameters:
    """An episode in that room (None: the cell as its file has it) with objects of its own, the
    same for the same seed: `BinGrasp(room="kitchen").reset(seed=7)` has it."""
    things = things_of(objects, slots, np.random.default_rng([seed, 0]))
    if name is None:
        return nominal(cell, things)
    if name not in PRESETS:
        raise Invalid("preset", name, f"one of {', '.join(PRESETS)}", "correct its name")
    return PRESETS[name](cell, things, seed)

"""An episode's look, drawn: surfaces, lamps, and what else stands on the table."""

from __future__ import annotations

import colorsys
import math
from typing import Any

import numpy as np

from calibration import Cell
from calibration.rigid import turned

from .config import RandomConfig
from .families import sample as sample_thing
from .objects import Thing
from .parameters import PLAIN, Lamp, Look, Stray, Surface, Vec
from .textures import SKINS

SPOTS = ("table", "bin", "ground", "wall_back", "wall_left")


class Draw:
    """Draws whose widths are scaled once, here."""

    def __init__(self, random: np.random.Generator, scale: float) -> None:
        self.random, self.scale = random, scale

    def around(self, width: float) -> float:
        return float(self.random.uniform(-1, 1) * width * self.scale)

    def above(self, width: float) -> float:
        return abs(self.around(width))

    def factor(self, width: float) -> float:
        return 1.0 + self.around(width)

    def vector(self, width: float) -> Vec:
        return (self.around(width), self.around(width), self.around(width))

    def turn(self, width: float) -> Vec:
        """A turn of at most `width` about any axis: axis times angle."""
        axis = self.random.normal(size=3)
        return _vec(axis / np.linalg.norm(axis) * self.around(width))

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share * min(self.scale, 1.0))

    def between(self, low: float, high: float, centre: float, share: float) -> float:
        """In [low, high] for a share of 1, drawn towards `centre` for less."""
        value = self.random.uniform(low, high)
        return float(centre + (value - centre) * min(share * self.scale, 1.0))


def look(
    base: Look,
    cell: Cell,
    config: RandomConfig,
    things: tuple[Thing, ...],
    draw: Draw,
    strays: int,
    textures: int,
) -> Look:
    surfaces = {
        name: _surface(surface, config, draw, textures if name in SPOTS else 0)
        for name, surface in base.surfaces.items()
    }
    skins = tuple(_surface(surface, config, draw, SKINS) for surface in base.things)
    light = draw.between(0.25, 1.1, 1.0, config.brightness)
    wanted = int(draw.random.integers(1, 5)) if draw.chance(config.lights) else len(base.lamps)
    lamps = tuple(_lamp(base, number, light, config, draw) for number in range(wanted))
    count = int(draw.random.integers(0, strays + 1)) if strays and draw.chance(config.strays) else 0
    clutter = tuple(_stray(cell, config, draw) for _ in range(count))
    return Look(
        surfaces,
        lamps,
        base.ambient * draw.between(0.4, 1.8, 1.0, config.brightness),
        skins,
        clutter,
    )


def _surface(base: Surface, config: RandomConfig, draw: Draw, textures: int) -> Surface:
    random = draw.random
    hue, saturation, value = random.random(), random.random() ** 1.5, random.uniform(0.12, 1.0)
    share = min(config.colours * draw.scale, 1.0) * random.random()
    other = colorsys.hsv_to_rgb(hue, saturation, value)
    rgb = tuple(float(a + (b - a) * share) for a, b in zip(base.rgb, other, strict=True))
    textured = textures and draw.chance(config.textures)
    return Surface(
        (rgb[0], rgb[1], rgb[2]),
        int(random.integers(textures)) if textured else PLAIN,
        float(2 ** random.uniform(-1, 2)),
        draw.between(0.0, 0.8, base.specular, config.materials),
        draw.between(0.0, 0.9, base.shininess, config.materials),
    )


def _lamp(base: Look, number: int, light: float, config: RandomConfig, draw: Draw) -> Lamp:
    known = base.lamps[min(number, len(base.lamps) - 1)]
    # Further lamps come from anywhere above; the known ones are turned a little.
    direction = np.array(known.direction)
    if number >= len(base.lamps):
        direction = np.append(draw.random.uniform(-1, 1, 2), -1.0)
    direction /= np.linalg.norm(direction)
    direction = turned(np.array(draw.turn(config.light_turn))) @ direction
    direction[2] = min(direction[2], -0.2)  # lamps hang above
    tint = draw.vector(0.12 * config.white_balance)
    diffuse = tuple(
        float(np.clip(c * light * (1 + t), 0, 1)) for c, t in zip(known.diffuse, tint, strict=True)
    )
    shadow = number == 0 and not draw.chance(config.no_shadow)
    return Lamp(_vec(direction), (diffuse[0], diffuse[1], diffuse[2]), known.specular, shadow)


def _stray(cell: Cell, config: RandomConfig, draw: Draw) -> Stray:
    """Somewhere on the table, outside the bin and the arm's base."""
    random, table, box = draw.random, cell.table, cell.bin
    thing = sample_thing(random, (0.03, 0.09), ("block", "can", "ball", "egg", "mug"))
    radius = float(np.hypot(*box.floor.value)) / 2 + 0.08
    angle = random.uniform(-math.pi / 2, math.pi / 2)
    reach = radius + random.uniform(0.05, 0.35)
    x, y, _ = box.centre.value
    half, middle = np.array(table.size.value) / 2 - 0.03, np.array(table.centre.value[:2])
    at = np.clip(
        np.array([x + reach * math.cos(angle), y + reach * math.sin(angle)]),
        middle - half,
        middle + half,
    )
    height = table.height.value + max(p.position[2] + float(p.extent[2]) for p in thing.parts)
    surface = _surface(Surface((0.5, 0.5, 0.5)), config, draw, SKINS)
    return Stray(thing, _vec((*at, height)), float(random.uniform(-math.pi, math.pi)), surface)


def _vec(values: Any) -> Vec:
    x, y, z = (float(v) for v in values)
    return (x, y, z)

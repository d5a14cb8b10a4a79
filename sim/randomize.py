"""Domain randomisation: one episode's parameters, drawn around the cell as it was measured.

Centres come from the cell file; so do widths wherever the cell was measured (three times the
residual). Where it was not, the widths below apply, each one a published range or inside one; the
table in README.md says whose. A width of 0 switches a factor off; `scale` widens all of them, for
a curriculum.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from calibration import Cell
from calibration.cell import Camera
from policy.contract import Invalid, Strict

from .config import ObjectConfig
from .objects import Thing
from .objects import sample as sample_thing
from .parameters import (
    PLAIN,
    Dynamics,
    Imaging,
    Lamp,
    Look,
    Misfit,
    Parameters,
    Stray,
    Surface,
    Timing,
    Vec,
    View,
    nominal,
)
from .textures import SKINS, SURFACES

TRUST = 3.0  # residuals
SPOTS = ("table", "bin", "ground", "wall_back", "wall_left")


@dataclass(frozen=True)
class RandomConfig(Strict):
    scale: float = 1.0
    # Appearance: shares, 0 to 1.
    textures: float = 0.7  # how many surfaces carry one
    colours: float = 1.0  # how far from the nominal colour
    materials: float = 1.0
    brightness: float = 1.0  # 0.25 to 1.1 times the nominal light
    lights: float = 1.0  # how often there are more, or fewer
    light_turn: float = 0.35  # rad
    no_shadow: float = 0.25  # how often
    strays: float = 1.0
    # Cameras.
    camera_shift: float = 0.03  # m
    camera_turn: float = 0.052  # rad
    camera_zoom: float = 0.05
    exposure: float = 1.0  # of the cell's own ranges
    white_balance: float = 1.0
    noise: float = 1.0
    blur: float = 1.0  # px of the full frame
    jpeg: float = 0.5  # how often; quality 50 to 95
    # Dynamics, as shares of the nominal value.
    mass: float = 0.02
    friction: float = 0.1
    damping: float = 0.2
    grip_force: float = 0.2
    closing_speed: float = 0.2
    # Time and calibration.
    action_delay: float = 1.0  # control periods
    observation_delay: float = 0.5  # control periods
    period_jitter: float = 0.05  # control periods, standard deviation
    misfit_shift: float = 0.004  # m
    misfit_yaw: float = 0.01  # rad

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < math.inf:
                raise Invalid(field.name, value, "0 or more", "0 switches it off")
        for name in ("mass", "friction", "damping", "grip_force", "closing_speed", "camera_zoom"):
            if getattr(self, name) * self.scale >= 1:
                found = getattr(self, name) * self.scale
                raise Invalid(
                    name, found, "less than 1 (with scale)", "the value would be negative"
                )

    def scaled(self, scale: float) -> RandomConfig:
        return replace(self, scale=scale)


# Ranges as published; what a publication leaves out stays at our default or is off.
OFF = RandomConfig(scale=0.0)
PUBLISHED = {
    "playground": RandomConfig(
        camera_shift=0.05, camera_turn=0.175, light_turn=0.35, no_shadow=0.25
    ),
    "robosuite": RandomConfig(camera_shift=0.01, camera_turn=0.087, camera_zoom=0.09),
    "dql_grasping": RandomConfig(camera_shift=0.0, camera_turn=0.052, camera_zoom=0.035),
}


def things_of(objects: ObjectConfig, slots: int, random: np.random.Generator) -> tuple[Thing, ...]:
    low, high = objects.count
    count = random.integers(low, min(high, slots) + 1)
    return tuple(
        sample_thing(random, objects.width, objects.families, objects.density, objects.friction)
        for _ in range(count)
    )


def sample(
    cell: Cell,
    config: RandomConfig,
    things: tuple[Thing, ...],
    random: np.random.Generator,
    strays: int,
    surfaces: int = SURFACES,
) -> Parameters:
    """`strays` and `surfaces` are how many of each the compiled scene can show."""
    base = nominal(cell, things)
    if config.scale == 0:
        return base
    draw = _Draw(random, config.scale)
    things = tuple(
        replace(
            thing,
            density=thing.density * draw.factor(config.mass),
            friction=thing.friction * draw.factor(config.friction),
        )
        for thing in things
    )
    gripper = cell.gripper
    return Parameters(
        things,
        _look(base.look, cell, config, things, draw, strays, surfaces),
        {name: _view(camera, config, draw) for name, camera in cell.cameras.items()},
        {name: _imaging(camera, config, draw) for name, camera in cell.cameras.items()},
        Dynamics(
            draw.factor(config.damping),
            draw.factor(config.damping),
            draw.factor(_relative(gripper.friction, config.friction)),
            draw.factor(_relative(gripper.force, config.grip_force)),
            draw.factor(_relative(gripper.closing_speed, config.closing_speed)),
        ),
        _timing(base.timing, cell, config, draw),
        Misfit(draw.vector(config.misfit_shift), draw.around(config.misfit_yaw)),
    )


class _Draw:
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

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share * min(self.scale, 1.0))

    def between(self, low: float, high: float, centre: float, share: float) -> float:
        """In [low, high] for a share of 1, drawn towards `centre` for less."""
        value = self.random.uniform(low, high)
        return float(centre + (value - centre) * min(share * self.scale, 1.0))


def _relative(measured: Any, unmeasured: float) -> float:
    return unmeasured if measured.residual is None else TRUST * measured.residual / measured.value


def _absolute(measured: Any, unmeasured: float) -> float:
    return unmeasured if measured.residual is None else TRUST * measured.residual


def _view(camera: Camera, config: RandomConfig, draw: _Draw) -> View:
    focal = camera.focal
    zoom = config.camera_zoom if focal.residual is None else TRUST * focal.residual / focal.value[0]
    on = (config.camera_shift > 0, config.camera_turn > 0, config.camera_zoom > 0)
    return View(
        draw.vector(on[0] * _absolute(camera.pose.position, config.camera_shift)),
        draw.vector(on[1] * _absolute(camera.pose.orientation, config.camera_turn)),
        draw.factor(on[2] * zoom),
    )


def _imaging(camera: Camera, config: RandomConfig, draw: _Draw) -> Imaging:
    low, high = camera.exposure.value
    middle = math.sqrt(low * high)  # exposure is felt in ratios
    # Pixel values follow light by about the power 1/2.2.
    dark, bright = ((edge / middle) ** (1 / 2.2) for edge in (low, high))
    cool, warm = camera.white_balance.value
    return Imaging(
        draw.between(dark, bright, 1.0, config.exposure),
        draw.between(cool, warm, 1.0, config.white_balance),
        draw.between(cool, warm, 1.0, config.white_balance),
        camera.noise.value * draw.between(0.5, 2.5, 1.0, config.noise),
        draw.above(config.blur),
        camera.vignetting.value * draw.between(0.0, 2.0, 1.0, config.noise),
        int(draw.random.integers(50, 96)) if draw.chance(config.jpeg) else 0,
    )


def _timing(base: Timing, cell: Cell, config: RandomConfig, draw: _Draw) -> Timing:
    period = cell.control.period.value
    latency = cell.latency
    # A frame cannot be older than the last control step's end.
    camera = base.camera + draw.above(config.observation_delay * period)
    return Timing(
        min(camera + draw.above(latency.camera.jitter.value), 0.95 * period),
        base.command
        + draw.above(config.action_delay * period) * 0.5
        + draw.above(latency.command.jitter.value),
        base.gripper + draw.above(latency.gripper.jitter.value),
        config.period_jitter * period * draw.scale,
    )


def _look(
    base: Look,
    cell: Cell,
    config: RandomConfig,
    things: tuple[Thing, ...],
    draw: _Draw,
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


def _surface(base: Surface, config: RandomConfig, draw: _Draw, textures: int) -> Surface:
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


def _lamp(base: Look, number: int, light: float, config: RandomConfig, draw: _Draw) -> Lamp:
    known = base.lamps[min(number, len(base.lamps) - 1)]
    # Further lamps come from anywhere above; the known ones are turned a little.
    direction = np.array(known.direction)
    if number >= len(base.lamps):
        direction = np.append(draw.random.uniform(-1, 1, 2), -1.0)
    direction /= np.linalg.norm(direction)
    direction += draw.random.uniform(-1, 1, 3) * math.tan(min(config.light_turn * draw.scale, 1.0))
    direction[2] = min(direction[2], -0.3)
    tint = draw.vector(0.12 * config.white_balance)
    diffuse = tuple(
        float(np.clip(c * light * (1 + t), 0, 1)) for c, t in zip(known.diffuse, tint, strict=True)
    )
    shadow = number == 0 and not draw.chance(config.no_shadow)
    return Lamp(_vec(direction), (diffuse[0], diffuse[1], diffuse[2]), known.specular, shadow)


def _stray(cell: Cell, config: RandomConfig, draw: _Draw) -> Stray:
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

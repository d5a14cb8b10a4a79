"""Domain randomisation: one episode's parameters, drawn around the cell as it was measured.

Centres come from the cell file; so do widths wherever the cell was measured (three times the
residual). Where it was not, those of `RandomConfig` apply, each one a published range or inside
one; the table in README.md says whose.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from calibration import Cell
from calibration.cell import Camera

from .config import ObjectConfig, RandomConfig
from .families import sample as sample_thing
from .looks import Draw, look
from .objects import Thing
from .parameters import Dynamics, Imaging, Misfit, Parameters, Timing, View, nominal
from .textures import SURFACES

TRUST = 3.0  # residuals
WIDEST = 0.5  # share of a value


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
    draw = Draw(random, config.scale)
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
        look(base.look, cell, config, things, draw, strays, surfaces),
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


def _absolute(measured: Any, unmeasured: float) -> float:
    """The width: as measured where it was, else as given; none where that is switched off."""
    if measured.residual is None or unmeasured == 0:
        return unmeasured
    return float(TRUST * measured.residual)


def _relative(measured: Any, unmeasured: float) -> float:
    """The same as a share of the value, and never so wide that a factor might not be positive."""
    if measured.residual is None or unmeasured == 0:
        return unmeasured
    return float(min(TRUST * measured.residual / np.max(measured.value), WIDEST))


def _view(camera: Camera, config: RandomConfig, draw: Draw) -> View:
    return View(
        draw.vector(_absolute(camera.pose.position, config.camera_shift)),
        draw.turn(_absolute(camera.pose.orientation, config.camera_turn)),
        draw.factor(_relative(camera.focal, config.camera_zoom)),
    )


def _imaging(camera: Camera, config: RandomConfig, draw: Draw) -> Imaging:
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
        draw.factor(config.depth_scale),
        camera.depth.noise.value * draw.between(0.5, 2.5, 1.0, config.noise) if camera.depth else 0,
        draw.above(config.holes),
    )


def _timing(base: Timing, cell: Cell, config: RandomConfig, draw: Draw) -> Timing:
    period = cell.control.period.value
    latency = cell.latency
    # A frame cannot be older than the last control step's end.
    camera = base.camera + draw.above(config.observation_delay * period)
    seen, acted = config.observation_delay > 0, config.action_delay > 0
    return Timing(
        min(camera + draw.above(seen * latency.camera.jitter.value), 0.95 * period),
        base.command
        + draw.above(config.action_delay * period)
        + draw.above(acted * latency.command.jitter.value),
        base.gripper + draw.above(acted * latency.gripper.jitter.value),
        config.period_jitter * period * draw.scale,
    )

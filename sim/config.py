"""What may be chosen about the simulated cell. The cell itself comes from its cell file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar, cast

from calibration.board import Board
from policy.contract import Invalid, Strict, decode

from .families import FAMILIES

T = TypeVar("T")


def given(cls: type[T], value: T | Mapping[str, Any] | None, source: str) -> T:
    """A configuration from an object of it, or from plain data of what differs from its defaults;
    what does not fit is refused by its name."""
    if isinstance(value, cls):
        return value
    return decode(cls, {} if value is None else dict(cast(Mapping[str, Any], value)), source)


@dataclass(frozen=True)
class SceneConfig(Strict):
    """`shadows` is the shadow map's side in px (0: none). One of 256 resolves 6 mm and costs two
    milliseconds a picture, one of 1024 seven (benchmarks/results/drawing.json)."""

    objects: int = 12
    distractors: int = 4
    timestep: float = 0.004
    shadows: int = 256
    multisamples: int = 0
    largest_picture: int = 640
    textures: tuple[str, ...] = ()
    board: Board | None = None  # printed, to calibrate with

    def __post_init__(self) -> None:
        if not 1 <= self.objects <= 12:
            raise Invalid("objects", self.objects, "1 to 12", "fill the bin with fewer")
        if not 0 <= self.distractors <= 8:
            raise Invalid("distractors", self.distractors, "0 to 8", "draw fewer")
        if not 0 < self.timestep <= 0.005:
            wanted = "more than 0 s, 0.005 s at most"
            raise Invalid("timestep", self.timestep, wanted, "contacts blur beyond: shorten it")
        if self.shadows < 0 or self.multisamples < 0:
            field_ = "shadows" if self.shadows < 0 else "multisamples"
            raise Invalid(field_, getattr(self, field_), "0 or more", "0 switches it off")


@dataclass(frozen=True)
class ObjectConfig(Strict):
    """What lies in the bin. Widths are the narrowest an object has across; some do not fit."""

    count: tuple[int, int] = (1, 12)
    width: tuple[float, float] = (0.016, 0.066)
    density: tuple[float, float] = (250.0, 900.0)  # kg/m^3
    friction: tuple[float, float] = (0.5, 1.1)
    families: tuple[str, ...] = field(default=tuple(FAMILIES))

    def __post_init__(self) -> None:
        low, high = self.count
        if not 1 <= low <= high:
            raise Invalid("count", self.count, "1 <= low <= high", "give how many there may be")
        limits = {"width": (0.2, "m"), "density": (20_000.0, "kg/m^3"), "friction": (3.0, "1")}
        for name, (most, unit) in limits.items():
            least, largest = getattr(self, name)
            if not 0 < least <= largest <= most:
                wanted = f"0 < low <= high <= {most:g} {unit}"
                raise Invalid(name, (least, largest), wanted, "correct it, or its unit")
        for name in self.families:
            if name not in FAMILIES:
                raise Invalid("families", name, f"of {', '.join(FAMILIES)}", "correct its name")
        if not self.families:
            raise Invalid("families", (), f"one or more of {', '.join(FAMILIES)}", "name some")


@dataclass(frozen=True)
class GraspConfig(Strict):
    """The task. A critic with a sigmoid at its end cannot say less than 0, hence no step penalty
    by default; QT-Opt's is 0.05, Q2-Opt's 0.01."""

    max_steps: int = 20
    step_penalty: float = 0.0
    success_height: float = 0.10  # m above the bin's floor
    action_window: int = 2

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise Invalid("max_steps", self.max_steps, "1 or more", "QT-Opt's is 20")
        if not 0 <= self.step_penalty <= 1:
            raise Invalid("step_penalty", self.step_penalty, "0 to 1", "give its magnitude")
        if not 0 < self.success_height < 1:
            wanted = "more than 0 m, less than 1 m"
            raise Invalid("success_height", self.success_height, wanted, "give metres")


@dataclass(frozen=True)
class RandomConfig(Strict):
    """How widely episodes differ. A width of 0 switches a factor off; `scale` widens all of them,
    for a curriculum."""

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
    blur: float = 2.5  # px of the full frame
    jpeg: float = 0.5  # how often; quality 50 to 95
    depth_scale: float = 0.01
    holes: float = 0.5  # share of the pixels beside an edge
    # Dynamics, as shares of the nominal value.
    mass: float = 0.02
    friction: float = 0.1
    damping: float = 0.2
    grip_force: float = 0.2
    closing_speed: float = 0.2
    # Time and calibration.
    action_delay: float = 0.5  # control periods
    observation_delay: float = 0.5  # control periods
    period_jitter: float = 0.05  # control periods, standard deviation
    misfit_shift: float = 0.004  # m
    misfit_yaw: float = 0.01  # rad

    def __post_init__(self) -> None:
        for name in (factor.name for factor in fields(self)):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise Invalid(name, value, "0 or more", "0 switches it off")
        for name in ("mass", "friction", "damping", "grip_force", "closing_speed", "camera_zoom"):
            if getattr(self, name) * self.scale >= 1:
                found = getattr(self, name) * self.scale
                raise Invalid(
                    name, found, "less than 1 (with scale)", "the value would be negative"
                )

    def scaled(self, scale: float) -> RandomConfig:
        return replace(self, scale=scale)


# Ranges as published; what a publication leaves out stays at our default. Fields of view are zooms
# here: d focal / focal = d fov / sin(fov), for the example cell's 43 degrees.
OFF = RandomConfig(scale=0.0)
PUBLISHED = {
    "playground": RandomConfig(
        camera_shift=0.05, camera_turn=0.175, light_turn=0.35, no_shadow=0.25
    ),
    "robosuite": RandomConfig(camera_shift=0.01, camera_turn=0.087, camera_zoom=0.13),
    "dql_grasping": RandomConfig(camera_shift=0.0, camera_turn=0.052, camera_zoom=0.052),
}

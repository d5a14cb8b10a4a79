"""What may be chosen about the simulated cell. The cell itself comes from its cell file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from policy.contract import Invalid, Strict, decode

from .objects import FAMILIES

T = TypeVar("T", bound=Strict)


def given(cls: type[T], value: T | Mapping[str, Any] | None, source: str) -> T:
    """A configuration from an object of it, or from plain data of what differs from its defaults;
    what does not fit is refused by its name."""
    if isinstance(value, cls):
        return value
    return decode(cls, {} if value is None else dict(cast(Mapping[str, Any], value)), source)


@dataclass(frozen=True)
class SceneConfig(Strict):
    """`shadows` is the shadow map's side in px (0: none). At 64 px pictures a map of 256 costs
    half a millisecond and resolves 4 mm."""

    objects: int = 12
    distractors: int = 4
    timestep: float = 0.004
    shadows: int = 256
    multisamples: int = 0
    largest_picture: int = 640
    textures: tuple[str, ...] = ()

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

"""What a policy sees and does: observation and action specs.

Conventions, everywhere in this project:
- images are uint8, height x width x channel, RGB, exactly as the camera gave them;
- lengths are metres, angles radians, times seconds, poses in the arm's base frame;
- an action is a float32 vector whose entries are named, bounded and united.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .strict import Invalid, Strict

Unit = Literal["m", "rad", "s", "m/s", "rad/s", "N", "1"]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ImageSpec(Strict):
    """One camera's frames as they arrive: uint8, HWC. `depth` says that they are distances, and
    which span (m) their bytes cover (depth.py)."""

    name: str
    height: int
    width: int
    channels: int = 3
    depth: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            wanted = "letters, digits and _, a letter first"
            raise Invalid("name", self.name, wanted, "it names ROS topics and files: rename it")
        if self.channels > 4:
            raise Invalid("channels", self.channels, "1 to 4", "split the image into several")
        near, far = self.depth or (0.0, 1.0)
        if self.depth is not None and not (0 <= near < far and self.channels == 1):
            found = f"{self.depth}, {self.channels} channels"
            wanted = "0 <= near < far (m), one channel"
            raise Invalid("depth", found, wanted, "give the camera's span")
        for field in ("height", "width", "channels"):
            if getattr(self, field) < 1:
                raise Invalid(field, getattr(self, field), "1 or more", "give the frame's size")

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.height, self.width, self.channels)


@dataclass(frozen=True)
class Entry(Strict):
    """One named number of a vector, with its unit and the range it may take."""

    name: str
    unit: Unit
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise Invalid("high", self.high, f"more than low ({self.low})", "swap or widen them")


@dataclass(frozen=True)
class ActionEntry(Entry):
    """A continuous entry, or a switch: with a `threshold`, values above it act as `high`, all
    others as `low`. CEM samples the former as Gaussians and the latter in their two values."""

    threshold: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threshold is not None and not self.low <= self.threshold < self.high:
            wanted = f"a value in [{self.low}, {self.high})"
            raise Invalid("threshold", self.threshold, wanted, "leave it out if continuous")

    @property
    def discrete(self) -> bool:
        return self.threshold is not None


@dataclass(frozen=True)
class ObservationSpec(Strict):
    images: tuple[ImageSpec, ...]
    proprio: tuple[Entry, ...] = ()
    # The last k executed actions are part of the state: with latency, the frame alone does not
    # tell what is already under way, and Q-learning fails without it.
    action_window: int = 2

    def __post_init__(self) -> None:
        _distinct("images", list(self.cameras))
        _distinct("proprio", [entry.name for entry in self.proprio])
        if self.action_window < 0:
            raise Invalid("action_window", self.action_window, "0 or more", "2 is the default")

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(image.name for image in self.images)

    def check(self, images: Mapping[str, npt.NDArray[Any]], proprio: npt.NDArray[Any]) -> None:
        """Refuse an observation that is not exactly of this spec."""
        if set(images) != set(self.cameras):
            wanted = ", ".join(self.cameras) or "no image"
            raise Invalid("images", sorted(images), wanted, "give each camera's frame by name")
        for spec in self.images:
            frame = images[spec.name]
            if frame.dtype != np.uint8 or frame.shape != spec.shape:
                found = f"{frame.dtype} {frame.shape}"
                wanted = f"uint8 {spec.shape}"
                raise Invalid(f"images.{spec.name}", found, wanted, "feed the raw camera frame")
        _check_vector("proprio", proprio, [entry.name for entry in self.proprio])


@dataclass(frozen=True)
class ActionSpec(Strict):
    entries: tuple[ActionEntry, ...]

    def __post_init__(self) -> None:
        _distinct("entries", self.names)
        if not self.entries:
            raise Invalid("entries", (), "at least one entry", "name what the policy moves")

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def low(self) -> FloatArray:
        return np.array([entry.low for entry in self.entries], np.float32)

    @cached_property
    def high(self) -> FloatArray:
        return np.array([entry.high for entry in self.entries], np.float32)

    @cached_property
    def _threshold(self) -> FloatArray:
        """NaN where the entry is continuous, so that a comparison there is never true."""
        values = [np.nan if e.threshold is None else e.threshold for e in self.entries]
        return np.array(values, np.float32)

    def check(self, action: npt.NDArray[Any], field: str = "action") -> None:
        _check_vector(field, action, self.names)

    def executed(self, action: FloatArray) -> FloatArray:
        """What acts when `action` (..., A) is sent: bounded, and switches thrown one way."""
        bounded = np.clip(action, self.low, self.high)
        thrown = np.where(bounded > self._threshold, self.high, self.low)
        return np.where(np.isnan(self._threshold), bounded, thrown).astype(np.float32)


@dataclass(frozen=True)
class Interface(Strict):
    """Everything that must agree between whoever acts and whatever is acted on.

    A policy card carries the interface its policy was trained with, a cell derives the one it
    offers; `policy.contract.fit` compares the two.
    """

    observation: ObservationSpec
    action: ActionSpec
    control_period_s: float

    def __post_init__(self) -> None:
        if not 0 < self.control_period_s < math.inf:
            remedy = "give the seconds between two actions"
            wanted = "more than 0, and finite"
            raise Invalid("control_period_s", self.control_period_s, wanted, remedy)


def _distinct(field: str, names: list[str]) -> None:
    for name in names:
        if not name or names.count(name) > 1:
            raise Invalid(field, name, "distinct, non-empty names", "rename the entry")


def _check_vector(field: str, value: npt.NDArray[Any], names: list[str]) -> None:
    if value.dtype != np.float32 or value.shape != (len(names),):
        found = f"{value.dtype} {value.shape}"
        wanted = f"float32 ({len(names)},) of {', '.join(names)}"
        raise Invalid(field, found, wanted, "convert or fill in the missing entries")
    if not np.isfinite(value).all():
        bad = ", ".join(name for name, v in zip(names, value, strict=True) if not np.isfinite(v))
        raise Invalid(field, value.tolist(), "finite numbers", f"look at what computes {bad}")

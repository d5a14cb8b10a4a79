"""What a detector is, and where to find one by its name.

A detector is a module of this package with a function `build(setup: Setup) -> Detector`; its name
is the module's. Nothing else has to be told of a new one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid
from policy.experience.episode import Verdict

Picture = npt.NDArray[np.uint8]  # height, width, RGB
Mask = npt.NDArray[np.bool_]
Pictures = Mapping[str, Picture]  # by camera


class Detector(Protocol):
    @property
    def name(self) -> str: ...

    def judge(self, before: Pictures, after: Pictures) -> Verdict:
        """Of a grasp, from the bin before the hand let go over it and after. What cannot be judged
        is an abstention; what cannot be a picture of this cell's cameras raises `Invalid`."""
        ...


@dataclass(frozen=True)
class Setup:
    """What a cell tells each of its detectors."""

    masks: Mapping[str, Mask]  # by camera: where in its picture the bin's floor and walls are
    folder: Path  # where detectors keep what they measured of this cell


def names() -> tuple[str, ...]:
    """Of all detectors there are."""
    package = importlib.import_module(__package__ or "reward")
    found = [
        f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(name.split(".")[-1] for name in found if _builder(name) is not None)


def detector(name: str, setup: Setup) -> Detector:
    known = names()
    if name not in known:
        raise Invalid("detector", name, f"one of {', '.join(known)}", "correct its name")
    build = _builder(f"{__package__}.{name}")
    assert build is not None
    return build(setup)


def _builder(module: str) -> Callable[[Setup], Detector] | None:
    build = getattr(importlib.import_module(module), "build", None)
    return cast("Callable[[Setup], Detector] | None", build)


def checked(picture: Picture | None, field: str, mask: Mask) -> Picture:
    """The picture, if it is one of the camera that the mask belongs to."""
    if picture is None:
        raise Invalid(field, None, "a picture", "give one of each camera that has a mask")
    if picture.dtype != np.uint8 or picture.shape != (*mask.shape, 3):
        found, wanted = f"{picture.dtype} {picture.shape}", f"uint8 {(*mask.shape, 3)}"
        raise Invalid(field, found, wanted, "give the camera's whole frame in RGB, as its mask is")
    return picture

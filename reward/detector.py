"""What a detector is, and where to find one by its name.

A detector is a module of this package with a function `build(setup: Setup) -> Detector`; its name
is the module's. One that has to know what this cell's pictures differ by when nothing happened has
`learn(setup, cycles)`, too. Nothing else has to be told of a new one.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid
from policy.contract.files import write_atomic
from policy.experience.episode import Verdict

Picture = npt.NDArray[np.uint8]  # height, width, RGB
Mask = npt.NDArray[np.bool_]
Pictures = Mapping[str, Picture]  # by camera
Clip = Mapping[str, npt.NDArray[np.uint8]]  # by camera: what it saw during the attempt, in time
NO_CLIP: Clip = {}
MASK = "_mask.png"
SUREST = math.log(999)  # nobody is surer


@dataclass(frozen=True)
class Judgement(Verdict):
    """A verdict with a picture of what it rests on, for a person to look at."""

    evidence: Picture | None = field(default=None, compare=False, repr=False)


def judgement(
    name: str, odds: Sequence[float], reason: str, evidence: Picture | None, surest: float = SUREST
) -> Judgement:
    """Of the logarithms of odds that cameras tell, an abstention if none does. Cameras that agree
    are sure together; those that do not are not."""
    if not odds:
        return Judgement(name, False, 0.0, abstained=True, reason=reason, evidence=evidence)
    mean = min(max(sum(odds) / len(odds), -surest), surest)
    confidence = 1 / (1 + math.exp(-abs(mean)))
    return Judgement(name, mean >= 0, confidence, reason=reason, evidence=evidence)


class Detector(Protocol):
    @property
    def name(self) -> str: ...

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        """Of a grasp, from the bin before the hand let go over it and after. What cannot be judged
        is an abstention; what cannot be a picture of this cell's cameras raises `Invalid`."""
        ...


@dataclass(frozen=True)
class Setup:
    """What a cell tells each of its detectors."""

    masks: Mapping[str, Mask]  # by camera: where in its picture the bin's floor and walls are
    folder: Path  # where detectors keep what they measured of this cell

    def save(self) -> None:
        """For who trains and tests detectors without the cell."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for camera, mask in self.masks.items():
            done, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
            assert done
            write_atomic(self.folder / (camera + MASK), data.tobytes())

    @classmethod
    def load(cls, folder: Path) -> Setup:
        masks = {
            path.name.removesuffix(MASK): np.asarray(cv2.imread(str(path), 0)) > 0
            for path in sorted(folder.glob(f"*{MASK}"))
        }
        if not masks:
            wanted, remedy = "masks of a cell's bin", "give the reward node's folder"
            raise Invalid(str(folder), "none", wanted, remedy)
        return cls(masks, folder)


def names() -> tuple[str, ...]:
    """Of all detectors there are. Read, not imported: some bring a lot with them."""
    package = importlib.import_module(__package__ or "reward")
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        spec = module.module_finder.find_spec(module.name, None)
        if spec is not None and spec.origin and "\ndef build(" in Path(spec.origin).read_text():
            found.append(module.name)
    return tuple(found)


def detector(name: str, setup: Setup) -> Detector:
    build: Callable[[Setup], Detector] = _module(name).build
    return build(setup)


def learn(name: str, setup: Setup, cycles: Sequence[tuple[Pictures, Pictures]]) -> None:
    """Tell a detector of cycles in which nothing was dropped, if it wants to know."""
    told = getattr(_module(name), "learn", None)
    if told is not None:
        told(setup, cycles)


def require(asked: Sequence[str]) -> None:
    """Refuse what is no detector's name."""
    if wrong := set(asked) - set(names()):
        raise Invalid("detectors", sorted(wrong), f"of {', '.join(names())}", "correct them")


def _module(name: str) -> Any:
    require([name])
    return importlib.import_module(f"{__package__}.{name}")


def checked(picture: Picture | None, field: str, mask: Mask) -> Picture:
    """The picture, if it is one of the camera that the mask belongs to."""
    if picture is None:
        raise Invalid(field, None, "a picture", "give one of each camera that has a mask")
    if picture.dtype != np.uint8 or picture.shape != (*mask.shape, 3):
        found, wanted = f"{picture.dtype} {picture.shape}", f"uint8 {(*mask.shape, 3)}"
        raise Invalid(field, found, wanted, "give the camera's whole frame in RGB, as its mask is")
    return picture

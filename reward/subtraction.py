"""QT-Opt's reward: after the lift the arm gets out of the way and the bin is looked at; it drops
what it may hold, gets out of the way, and the bin is looked at again. If something appeared, it
held something. The drop is the reset, too.

    noise.write(noise.measure("front", mask, empty_cycles), noise_file(folder, "front"))  # once
    verdict = detector("subtraction", Setup({"front": mask}, folder)).judge(before, after)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from policy.contract import Invalid
from policy.experience.pictures import captioned, stacked

from . import noise
from .alignment import STILL
from .detector import (
    NO_CLIP,
    Clip,
    Detector,
    Judgement,
    Mask,
    Picture,
    Pictures,
    Setup,
    checked,
    judgement,
)
from .evidence import Unjudgeable, appeared, compare, covered, newness
from .noise import Noise

LEAST = 0.005  # share of the bin: half of what the smallest thing changes
BLOCKED = 0.35  # of the bin cannot have changed by one thing: something stands in the way
STEEP = 2.0  # odds of success go with this power of what appeared
FRESH = 3.0  # and with this exponent of the newness of what changed
# Odds of 99 to 1 at most: now and then something rolls by itself, or a thing lands out of sight.
SUREST = math.log(99)


def noise_file(folder: Path, camera: str) -> Path:
    return folder / f"{camera}_noise.json"


def build(setup: Setup) -> Detector:
    cameras = {
        name: (mask, noise.read(noise_file(setup.folder, name), name, mask))
        for name, mask in setup.masks.items()
    }
    return Subtraction(cameras)


def learn(setup: Setup, cycles: Sequence[tuple[Pictures, Pictures]]) -> None:
    """Nothing was dropped: so this is what pictures of this cell differ by."""
    for camera, mask in setup.masks.items():
        mine = [(a[camera], b[camera]) for a, b in cycles if camera in a and camera in b]
        if mine:
            noise.write(noise.measure(camera, mask, mine), noise_file(setup.folder, camera))


@dataclass(frozen=True)
class Finding:
    """What one camera saw. `changed` is of its whole frame."""

    camera: str
    changed: Mask
    share: float  # of the bin: what changed,
    appeared: float  # and of that, what was not there before, a few pixels off
    newness: float  # of what changed: see evidence.newness
    shift: float  # px that the camera moved

    @property
    def evidence(self) -> float:
        """Logarithm of the odds that something was dropped."""
        found = STEEP * math.log(max(self.appeared, 1e-6) / LEAST) + FRESH * self.newness
        return min(max(found, -SUREST), SUREST)

    def __str__(self) -> str:
        moved = f", camera moved {self.shift:.1f} px" if self.shift >= STILL else ""
        changed = f"{self.share:.2%} of the bin changed, {self.appeared:.2%} appeared"
        return f"{self.camera}: {changed}, newness {self.newness:+.2f}{moved}"


class Subtraction:
    name = "subtraction"

    def __init__(self, cameras: Mapping[str, tuple[Mask, Noise]]) -> None:
        """What each camera's mask and noise are."""
        if not cameras:
            raise Invalid("cameras", "none", "1 or more", "give a mask of the bin for a camera")
        for name, (mask, known) in cameras.items():
            if mask.dtype != bool or mask.ndim != 2 or not mask.any():
                found = f"{mask.dtype} {mask.shape}, {int(mask.sum())} set"
                raise Invalid(f"masks.{name}", found, "bool (height, width)", "project the bin")
            if known.restless >= LEAST:
                wanted = f"less than {LEAST:.2%} of the bin"
                remedy = "find out what moves in empty cycles, or use another detector"
                raise Invalid(f"{name}.restless", f"{known.restless:.2%}", wanted, remedy)
        self._cameras = dict(cameras)

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        findings, troubles = [], []
        for name in self._cameras:
            try:
                findings.append(self.find(name, before, after))
            except Unjudgeable as trouble:
                troubles.append(f"{name}: {trouble}")
        odds = [found.evidence for found in findings]
        reason = "; ".join([*map(str, findings), *troubles])
        drawn = [self._drawn(found, after) for found in findings]
        return judgement(self.name, odds, reason, stacked(drawn) if drawn else None)

    def _drawn(self, found: Finding, after: Pictures) -> Picture:
        """The picture after, and what changed in red."""
        seen = after[found.camera].copy()
        seen[found.changed] = seen[found.changed] // 2 + np.array([127, 0, 0], np.uint8)
        return captioned(seen, str(found))

    def find(self, camera: str, before: Pictures, after: Pictures) -> Finding:
        """What that camera's pictures tell; raises `Unjudgeable`."""
        mask, known = self._cameras[camera]
        first = checked(before.get(camera), f"before.{camera}", mask)
        second = checked(after.get(camera), f"after.{camera}", mask)
        difference = compare(first, second, mask)
        found = known.changed(difference)
        area = int(mask.sum())
        hidden = covered(found, area)
        if hidden > BLOCKED:
            raise Unjudgeable(f"{hidden:.0%} of the bin changed at once: is something in the way?")
        whole = np.zeros(mask.shape, bool)
        whole[difference.where] = found
        variance = known.variance(difference)
        fresh = appeared(difference, variance, found)
        return Finding(
            camera, whole, found.sum() / area, fresh.sum() / area,
            newness(difference, variance, found), difference.shift,
        )  # fmt: skip

"""All detectors that were asked for, and what they have to know of a cell before they can judge."""

from __future__ import annotations

from collections.abc import Sequence

from policy.contract import ContractError, Invalid
from policy.experience.episode import Verdict

from . import noise
from .detector import Detector, Pictures, Setup, detector, names
from .subtraction import noise_file


class Panel:
    def __init__(self, asked: Sequence[str], setup: Setup) -> None:
        if wrong := set(asked) - set(names()):
            raise Invalid("detectors", sorted(wrong), f"of {', '.join(names())}", "correct them")
        self.asked, self._setup = tuple(asked), setup
        setup.folder.mkdir(parents=True, exist_ok=True)
        self._empty: list[tuple[Pictures, Pictures]] = []
        self._detectors: list[Detector] = []
        self.problem = self._build()

    def _build(self) -> str:
        """What is missing, if something is: an empty cycle measures it."""
        try:
            self._detectors = [detector(name, self._setup) for name in self.asked]
        except (ContractError, Invalid, OSError) as error:
            return str(error)
        return ""

    def learn(self, before: Pictures, after: Pictures) -> None:
        """Nothing was dropped: so this is what pictures of this cell differ by."""
        self._empty.append((before, after))
        for camera, mask in self._setup.masks.items():
            cycles = [(a[camera], b[camera]) for a, b in self._empty if camera in a and camera in b]
            if cycles:
                found = noise.measure(camera, mask, cycles)
                noise.write(found, noise_file(self._setup.folder, camera))
        self.problem = self._build()

    def judge(self, before: Pictures, after: Pictures) -> list[Verdict]:
        return [one.judge(before, after) for one in self._detectors]

"""What can be learnt from: logs of the simulator, of a room, and as translators paint them."""

from __future__ import annotations

import sys
from pathlib import Path

from .presets import Preset
from .stages import Stage

CELL = "calibration/cells/twin.yaml"
CAMERA = "wrist"
# What translators translate is the simulator as measured; or randomised, or as measured, but seen
# from where the hand's camera was found to be. What is randomised may be so around there, too.
RANDOM, FOUND, BOTH = "random", "found", "random_found"
SEED = 1_000_000  # of the room's own episodes
LOOKS = 30  # episodes that the hand's camera is looked for in


class Sources:
    """The stages that make them."""

    def __init__(self, out: Path, preset: Preset, device: str) -> None:
        self._out, self._preset, self._device = out, preset, device
        self.stages: dict[str, Stage] = {}

    def add(self, name: str, module: str, *words: object, needs: tuple[str, ...] = ()) -> str:
        command = (sys.executable, "-m", module, *map(str, words))
        self.stages.setdefault(name, Stage(name, command, needs))
        return name

    def _collect(self, name: str, *words: object, needs: tuple[str, ...] = ()) -> str:
        path = self._out / name
        size = ("--cameras", CAMERA, "--size", 64, "--processes", 1)
        return self.add(name, "sim.collect", path, *words, *size, needs=needs)

    def sim(self) -> str:
        return self._collect("sim", "--transitions", self._preset.transitions, "--no-randomize")

    def random(self) -> str:
        return self._collect(RANDOM, "--transitions", self._preset.transitions)

    def looked(self, room: str) -> str:
        """Episodes of the policy that comes along, which looks at depth."""
        name = f"looked-{room}"
        return self.add(
            name, "benchmarks.improving", "run", self._out / name, "--room", room,
            "--seed", SEED, "--episodes", LOOKS, "--alone", LOOKS + 1,
        )  # fmt: skip

    def camera(self, room: str) -> str:
        """A cell file with the hand's camera where they tell that it is."""
        looked, name = self.looked(room), f"camera-{room}"
        log, made = self._out / looked / "log", self._out / f"{name}.yaml"
        words = ("from-log", CELL, CAMERA, log, "--out", made)
        return self.add(name, "calibration", *words, needs=(looked,))

    def found(self, room: str, name: str = FOUND) -> str:
        camera = self.camera(room)
        words = ["--transitions", self._preset.transitions, *["--no-randomize"] * (name != BOTH)]
        words += ["--cell", self._out / f"{camera}.yaml"]
        return self._collect(f"{name}-{room}", *words, needs=(camera,))

    def pairs(self) -> str:
        return self._collect("pairs", "--episodes", self._preset.pairs, "--canonical")

    def cell(self, room: str) -> str:
        choices = ("--room", room, "--seed", SEED, "--episodes", self._preset.cell_episodes)
        return self._collect(f"cell-{room}", *choices)

    def detector(self) -> str:
        made = self._out / "detector.safetensors"
        words = ("--file", CELL, "--camera", CAMERA, "--out", made)
        return self.add(
            "detector", "sim2real.detection", self._out / self.pairs(), *words,
            "--updates", self._preset.detector, needs=(self.pairs(),),
        )  # fmt: skip

    def source(self, arm: str, room: str) -> str:
        """What is simulated for it."""
        if arm == BOTH:
            return self.found(room, BOTH)
        if arm.endswith(RANDOM):
            return self.random()
        return self.found(room) if arm.endswith(FOUND) else self.sim()

    def translator(self, arm: str, room: str, seed: int) -> str:
        name, kind = f"{arm}-{room}-{seed}", arm.partition("_")[0]
        sim, cell = self.pairs() if kind == "rcan" else self.source(arm, room), self.cell(room)
        words = [
            f"sim={self._out / sim}", f"cell={self._out / cell}", f"camera={CAMERA}",
            f"translator={kind}", f"seed={seed}", f"device={self._device}",
            f"out={self._out / name}", *self._preset.translator,
        ]  # fmt: skip
        needs = [sim, cell]
        if kind == "retinagan":
            needs.append(self.detector())
            words.append(f"retinagan.detector={self._out / 'detector.safetensors'}")
        return self.add(name, "sim2real.train", *words, needs=tuple(needs))

    def painted(self, log: str, translator: str) -> str:
        name = f"{log}-by-{translator}"
        paths = (self._out / log, self._out / translator, "--out", self._out / name)
        return self.add(name, "sim2real.translate", *paths, needs=(log, translator))

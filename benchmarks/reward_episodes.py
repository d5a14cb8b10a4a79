"""Episodes of the cell in three rooms, with the pictures that detectors judge and with the truth.

    python -m benchmarks.reward_episodes runs/rewards [--pieces 42] [--scenario light]

The whole cell in lockstep (lockstep.py), in pieces: a room, a seed, 48 episodes, other things in
the bin every 8. What is there already is not played again. Pictures are taken in every episode,
also where the fingers alone tell that nothing was held, so that every detector is asked the same.
Each log's label is the simulator's truth, as a person who never errs would give it: something was
held when the first picture was taken, and lay in the bin when the second was.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rosless  # noqa: F401  nodes' parts are imported without ROS
from regrasp_nodes.episode.routine import EMPTY, OPEN, Frames, Phase, Places, Routine
from tqdm import tqdm

from policy.experience.episode import PERSON, Verdict
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from reward.album import Album, Pair
from sim.config import ObjectConfig
from sim.presets import PRESETS
from sim.twin import Faults

from .judging_routine import carried, returned
from .lockstep import LockstepCell

Array = npt.NDArray[np.float64]
EPISODES, REFILL = 48, 8  # a piece; with the same things in the bin
EXPLORE = 0.35  # share of steps that stray: failures of all kinds are wanted
POLICY = Path("policy/trained/grasp.onnx")
DONE = "played.json"
SCENARIOS = {
    "usual": "as the cell was when its noise was measured",
    "light": "exposure wanders, and somebody walks past the main lamp",
    "objects": "things half as wide as before",
    "occluded": "the hand stays in the picture: it goes aside only half the way",
}
SMALL = ObjectConfig(count=(6, 10), width=(0.010, 0.020))
HALFWAY = 0.45


@dataclass(frozen=True)
class Told:
    """What is known of an episode: `fingers` is what they alone would say."""

    episode: str
    truth: bool
    fingers: bool | None
    problem: str


class Halfway(Places):
    """Of a hand that does not get out of the picture."""

    def aside(self) -> Array:
        away, over = super().aside(), np.array([*self.floor[:2], self.high[2], 0.0])
        halfway: Array = over + HALFWAY * (away - over)
        return halfway


class WatchedCell(LockstepCell):
    """Keeps the pictures, and asks the simulator instead of a detector."""

    _phase: Phase = Phase.IDLE
    _carried: frozenset[int] = frozenset()
    truth: bool = False
    fingers: bool | None = None

    def say(self, phase: Phase, detail: str = "") -> None:
        super().say(phase, detail)
        self._phase = phase
        if phase == Phase.PICTURE_BEFORE:
            self._carried = frozenset(carried(self.twin))

    def aperture(self) -> float:
        """Once lifted, some width that does not tell, so that pictures are taken."""
        width = super().aperture()
        if self._phase != Phase.LIFT:
            return width
        widest = Places.of(self.cell).open
        empty = width < EMPTY or width > widest - OPEN
        self.fingers = False if empty else None
        return widest / 2

    def judge(self, before: Frames, after: Frames, empty: bool = False) -> list[Verdict]:
        if empty or self._phase != Phase.JUDGE:
            return super().judge(before, after, empty)
        Album(self._log).add(self._episode, Pair(before, after))
        self.truth = returned(self.twin, set(self._carried))
        return [Verdict(PERSON, self.truth, reason="the simulator knows")]

    def misbehave(self, scenario: str, random: np.random.Generator) -> None:
        if scenario == "light":
            self.twin.inject(Faults(exposure_drift=0.03, moving_shadow=0.7))
        elif scenario == "occluded":
            places = Places.of(self.cell)
            halfway = Halfway(places.low, places.high, places.floor, places.open)
            self._routine = Routine(self, halfway, random)


def play(folder: Path, room: str, seed: int, scenario: str) -> None:
    """One piece."""
    shutil.rmtree(folder, ignore_errors=True)  # what was begun and not ended
    log = folder / "log"
    objects = SMALL if scenario == "objects" else None
    with Host(OnnxPolicy(POLICY)) as host:
        cell = WatchedCell(host, log, room, seed, EXPLORE, folder / "reward", objects)
        with closing(cell.twin):
            cell.calibrate()
            cell.misbehave(scenario, np.random.default_rng([seed, 6]))
            told = []
            for number in range(EPISODES):
                if number and number % REFILL == 0:
                    cell.twin.reset_objects(1000 * seed + number)
                cell.fingers = None
                played = cell.play()
                truth = cell.truth and not played.problem
                told.append(Told(cell._episode, truth, cell.fingers, played.problem))
    (folder / DONE).write_text(json.dumps([asdict(one) for one in told]))


def pieces(base: Path, count: int, scenario: str) -> Iterator[tuple[Path, str, int]]:
    rooms = list(PRESETS)
    for number in range(count):
        room, seed = rooms[number % len(rooms)], 300 + number // len(rooms)
        yield base / f"{scenario}-{room}-{seed}", room, seed


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reward_episodes")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pieces", type=int, default=42)
    parser.add_argument("--scenario", choices=SCENARIOS, default="usual")
    a = parser.parse_args(argv)
    for folder, room, seed in tqdm(list(pieces(a.folder, a.pieces, a.scenario))):
        if not (folder / DONE).exists():
            play(folder, room, seed, a.scenario)


if __name__ == "__main__":
    main()

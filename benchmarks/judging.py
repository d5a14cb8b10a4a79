"""Does image subtraction tell whether a grasp succeeded? 500 cycles of a cell, in four lights.

    python -m benchmarks.judging [--episodes 500] [--pictures DIR]

Each cycle is the cell's whole routine on the twin (judging_routine.py), in the cell's own room and
in three that are lit otherwise, in turn; near-expert and sloppy attempts. Noise is measured first,
on empty cycles of each room, in steady light only. What is counted as a success was still held when
the first picture was taken, and lay in the bin again when the second was: the simulator knows. The
seeds are those of a held-out part: detector and routine were made on others. Once more with the
second picture shifted and turned, as by a camera that was touched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.harness import machine
from benchmarks.judging_routine import CAMERA, LIGHTS, ROOMS, Cycle, collect, pair
from calibration import load_cell
from calibration.geometry import bin_mask
from policy.experience.episode import Verdict
from policy.statistics import Rate
from reward import noise
from reward.detector import Detector, Mask, Picture
from reward.subtraction import Subtraction
from sim.env import TWIN

RESULT = Path(__file__).with_name("results") / "judging.json"
HELD_OUT = 20_000  # the first seed; what is measured was chosen on 0 to 319 and 10,000 to 10,499
EMPTY = 8  # empty cycles a room
STEADY, BOTH, MOVED = "as is", "both", "both, camera moved"
CASES = (*LIGHTS, MOVED)


@dataclass(frozen=True)
class Judged:
    cycle: Cycle
    light: str
    verdict: Verdict
    seconds: float

    @property
    def right(self) -> bool:
        return self.verdict.success == self.cycle.success


def detectors(pictures: Path, mask: Mask) -> dict[str | None, Detector]:
    """One a room, each with that room's noise."""
    seeds = range(EMPTY * len(ROOMS))
    places = [place for place, _ in tqdm(collect(pictures, seeds, "empty"), "empty", len(seeds))]
    found: dict[str | None, Detector] = {}
    for number, room in enumerate(ROOMS):
        cycles = [pair(place, STEADY) for place in places[number :: len(ROOMS)]]
        found[room] = Subtraction({CAMERA: (mask, noise.measure(CAMERA, mask, cycles))})
    return found


def judge(pictures: Path, seeds: range) -> list[Judged]:
    cell = load_cell(TWIN)
    mask = bin_mask(cell.cameras[CAMERA], cell.bin)
    judges, judged = detectors(pictures, mask), []
    for place, cycle in tqdm(collect(pictures, seeds), "cycles", len(seeds)):
        for light in CASES:
            before, after = pair(place, BOTH if light == MOVED else light)
            if light == MOVED:
                after = moved(after, cycle.seed)
            begin = time.perf_counter()
            verdict = judges[cycle.room].judge({CAMERA: before}, {CAMERA: after})
            judged.append(Judged(cycle, light, verdict, time.perf_counter() - begin))
    return judged


def moved(picture: Picture, seed: int) -> Picture:
    """As if the camera had been touched: up to 3 px either way, and 0.3 degrees."""
    right, down, turn = np.random.default_rng([seed, 13]).uniform(-1, 1, 3) * (3.0, 3.0, 0.3)
    height, width = picture.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0), float)
    matrix[:, 2] += right, down
    warped = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """Precision and recall over what was judged; an abstention is neither."""
    said = [one for one in judged if not one.verdict.abstained]
    positive = [one for one in said if one.verdict.success]
    true = [one for one in said if one.cycle.success]
    held = [one for one in judged if one.cycle.held and (one.cycle.success or not one.cycle.kept)]
    sure = np.array([one.verdict.confidence for one in said])
    right = np.array([one.right for one in said])
    return {
        "cycles": len(judged),
        "slipped_before_the_picture": sum(one.cycle.held and not one.cycle.kept for one in judged),
        "successes": sum(one.cycle.success for one in judged),
        "abstained": len(judged) - len(said),
        "precision": told(Rate(sum(one.cycle.success for one in positive), len(positive))),
        "recall": told(Rate(sum(one.verdict.success for one in true), len(true))),
        # As if what slipped out before the first picture, back into the bin, had been a success.
        "recall_from_the_lift": told(Rate(sum(one.verdict.success for one in held), len(held))),
        "accuracy_by_confidence": {
            f"{low:.3g} to {high:.3g}": told(Rate(int(right[band].sum()), int(band.sum())))
            for low, high in ((0.5, 0.9), (0.9, 0.99), (0.99, 1.0))
            if (band := (sure >= low) & (sure < high)).any()
        },
        "wrong": [
            {"seed": one.cycle.seed, "room": one.cycle.room, "things": one.cycle.families,
             "said": one.verdict.success, "confidence": round(one.verdict.confidence, 3),
             "reason": one.verdict.reason}
            for one in said if not one.right
        ],
    }  # fmt: skip


def told(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return asdict(rate) | {"value": round(rate.value, 4), "low": round(low, 4),
                           "high": round(high, 4)}  # fmt: skip


def table(lights: dict[str, dict[str, Any]]) -> str:
    lines = ["| light | precision | recall | abstained |", "|---|---|---|---|"]
    for light, found in lights.items():
        rates = [
            Rate(found[key]["successes"], found[key]["tries"]) for key in ("precision", "recall")
        ]
        lines.append(f"| {light} | {rates[0]} | {rates[1]} | {found['abstained']} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--pictures", type=Path, help="kept there, and used again (4 MB a cycle)")
    parser.add_argument("--out", type=Path, default=RESULT)
    a = parser.parse_args(argv)
    seeds = range(HELD_OUT, HELD_OUT + a.episodes)
    with tempfile.TemporaryDirectory() as folder:
        judged = judge(a.pictures or Path(folder), seeds)
    lights = {light: report([one for one in judged if one.light == light]) for light in CASES}
    result = {
        "command": f"python -m benchmarks.judging --episodes {a.episodes}",
        "machine": machine(["mujoco", "numpy", "opencv-python-headless"]),
        "seeds": [seeds.start, seeds.stop - 1],
        "median_ms": round(1e3 * float(np.median([one.seconds for one in judged])), 1),
        "lights": lights,
    }
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(json.dumps(result, indent=1) + "\n")
    print(table(lights))


if __name__ == "__main__":
    main()

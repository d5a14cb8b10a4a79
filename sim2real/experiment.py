"""Which way from the simulator to a cell gets how far: the papers' table on the twin's rooms.

    python -m sim2real.experiment out/experiment --rooms lab_night
    python -m sim2real.experiment out/experiment --preset full --jobs 1 --device cuda

Per room: policies of one recipe that differ by what they learn from alone, offline, from logs of a
scripted policy. The room's own log gives translators its pictures and, to the arms that have "a
few real episodes", its labels too; in the other arms nobody learns from a label of the room, but
RL-CycleGAN's critics. All is done by the commands that anybody would use, and kept: a run that was
stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from policy.contract.files import write_atomic
from policy.experience.telling import exit_code
from policy.statistics import Rate

from .plan import ALONE, ARMS, BESIDE, FEW, ONLINE, SHIPPED, ZERO, Plan
from .presets import PRESETS
from .stages import carry_out

COLUMNS = (ZERO, FEW, ONLINE)
ROOMS = ("factory", "kitchen", "lab_night")
TITLES = {
    "sim": "the simulator as measured",
    "random": "randomised",
    "colour": "colour transfer",
    "gan": "GAN",
    "cyclegan": "CycleGAN",
    "rlcyclegan": "RL-CycleGAN",
    "retinagan": "RetinaGAN",
    "rcan": "RCAN",
    "cyclegan_random": "randomised, CycleGAN",
    "rlcyclegan_random": "randomised, RL-CycleGAN",
    "retinagan_random": "randomised, RetinaGAN",
    "found": "from the camera's found place",
    "random_found": "from there, randomised",
    "cyclegan_found": "from there, CycleGAN",
    "rlcyclegan_found": "from there, RL-CycleGAN",
    "retinagan_found": "from there, RetinaGAN",
    "found_again": "from there, and its policy's own grasps",
    "rlcyclegan_found_again": "both, RL-CycleGAN",
    ALONE: "nothing of it",
    SHIPPED: "what comes along (depth)",
    BESIDE: "the same, beside its own simulated grasps",
}
ROWS = (*ARMS, ALONE, SHIPPED, BESIDE)
Cell = tuple[str, str, str]  # room, arm, column
# One thread each, so that as many commands as there are cores do not fight for them.
THREADS = {"OMP_NUM_THREADS": "1"}


def rates(counts: Mapping[Cell, list[Path]]) -> dict[Cell, Rate]:
    """Of all seeds together."""
    found = {}
    for cell, paths in counts.items():
        told = [json.loads(path.read_text()) for path in paths]
        tries, won = (sum(int(one[key]) for one in told) for key in ("episodes", "successes"))
        found[cell] = Rate(won, tries)
    return found


def table(found: Mapping[Cell, Rate]) -> str:
    """A row an arm, two columns a room."""
    columns = list(dict.fromkeys((room, column) for room, _, column in found))
    words = {
        ZERO: "zero-shot", FEW: "and a few real episodes", ONLINE: "and online grasps",
    }  # fmt: skip
    rows = [
        "| learnt from | " + " | ".join(f"{room}, {words[column]}" for room, column in columns),
        "|---" * (len(columns) + 1),
    ]
    for arm in dict.fromkeys(arm for _, arm, _ in found):
        cells = (found.get((room, arm, column)) for room, column in columns)
        rows.append(f"| {TITLES[arm]} | " + " | ".join(str(one) if one else "-" for one in cells))
    return "".join(f"{row} |\n" for row in rows)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m sim2real.experiment", description=__doc__)
    top.add_argument("out", type=Path, help="logs, translators and policies; several GB")
    top.add_argument("--preset", choices=PRESETS, default="small", help="two cores, or a GPU")
    top.add_argument("--rooms", nargs="+", default=ROOMS, help="of the twin (default: all)")
    top.add_argument("--arms", nargs="+", choices=ROWS, default=ROWS)
    top.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS)
    top.add_argument("--seeds", type=int, help="how many (default: the preset's)")
    top.add_argument("--jobs", type=int, default=2, help="commands at a time (default 2)")
    top.add_argument("--device", default="cpu")
    top.add_argument("--results", type=Path, help="of .md and .json (default: OUT/table)")
    return top


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    a = parser().parse_args(words)
    preset = PRESETS[a.preset]
    plan, counts = Plan(a.out, preset, a.device), dict[Cell, list[Path]]()
    for room in a.rooms:
        for seed in range(a.seeds or preset.seeds):
            for arm in a.arms:
                for column in a.columns:
                    if plan.able(arm, column):
                        paths = counts.setdefault((room, arm, column), [])
                        path = plan.count(arm, column, room, seed)
                        if path not in paths:  # some are the same for every seed
                            paths.append(path)

    def work() -> None:
        carry_out(plan.stages.values(), a.out, a.jobs, {**os.environ, **THREADS})
        found = rates(counts)
        write(a.results or a.out / "table", " ".join(words), asdict(preset), found)
        print(table(found), end="")

    return exit_code(work)


def write(path: Path, words: str, preset: dict[str, object], found: Mapping[Cell, Rate]) -> None:
    """PATH.md and PATH.json."""
    command = f"python -m sim2real.experiment {words}"
    told = [
        {"room": room, "arm": arm, "column": column, **asdict(rate)}
        for (room, arm, column), rate in found.items()
    ]
    whole = {"command": command, "preset": preset, "found": told}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path.with_suffix(".json"), (json.dumps(whole, indent=1) + "\n").encode())
    write_atomic(path.with_suffix(".md"), f"`{command}`\n\n{table(found)}".encode())


if __name__ == "__main__":
    sys.exit(main())

"""What wrong labels cost: policies that learn from one log, labelled ever worse.

    python -m sim2real.experiment out/experiment --rooms lab_night --arms random --columns zero
    python -m benchmarks.wrong_labels out/wrong --log out/experiment/random

QT-Opt learns offline from the episodes of a scripted policy, of which so many labels are flipped;
or from what a detector of the cell would have said (`--verdicts`, of benchmarks.rewards), without
its gate and with it. Grasps are counted in the simulator that the log is of. Each command is
carried out once, as those of sim2real.experiment.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from policy.evaluate import HELD_OUT
from policy.experience.telling import exit_code
from policy.statistics import Rate
from sim2real.experiment import THREADS
from sim2real.plan import TASK
from sim2real.sources import CAMERA
from sim2real.stages import Stage, carry_out

from .labellers import Labelling

WRONG = (0.0, 0.02, 0.05, 0.1)
UPDATES, EPISODES = 2500, 300


def arms(verdicts: Path | None, detectors: list[str]) -> dict[str, Labelling]:
    """By their names in the directory."""
    flipped = {f"flipped{round(100 * wrong)}": Labelling(wrong) for wrong in WRONG}
    judged = {
        f"{name}{'-gated' * gated}": Labelling(0.0, verdicts, name, gated)
        for name in detectors
        for gated in (False, True)
        if verdicts is not None
    }
    return {**flipped, **judged}


def stages(out: Path, log: Path, name: str, labelling: Labelling) -> list[Stage]:
    """Label, learn, count."""
    labels, policy = out / name, out / f"policy-{name}"
    words = ["--wrong", str(labelling.wrong), "--seed", str(labelling.seed)]
    if labelling.verdicts is not None:
        words += ["--verdicts", str(labelling.verdicts), "--detector", labelling.detector]
    words += ["--gated"] * labelling.gated
    python = (sys.executable, "-m")
    return [
        Stage(name, (*python, "benchmarks.labellers", str(log), str(labels), *words)),
        Stage(
            f"policy-{name}",
            (*python, "policy.train", f"data.logs=[{labels}]", "minutes=0",
             f"task.arguments={{cameras:[{CAMERA}]}}", f"offline_updates={UPDATES}",
             f"seed={labelling.seed}", "evaluation.final_episodes=16", f"out={policy}"),
            (name,),
        ),
        Stage(
            f"count-{name}",
            (*python, "policy.evaluate", str(policy / "policy.onnx"), "--task", TASK,
             "--arguments", json.dumps({"cameras": [CAMERA]}), "--episodes", str(EPISODES),
             "--processes", "1", "--seed", str(HELD_OUT + 1),
             "--out", str(out / f"count-{name}.json")),
            (f"policy-{name}",),
        ),
    ]  # fmt: skip


def fates(path: Path) -> dict[str, int]:
    """What benchmarks.labellers said last."""
    words = path.read_text().splitlines()[-1].split(", ")
    return {name: int(count) for name, count in (word.split(": ") for word in words)}


def told(out: Path, name: str, labelling: Labelling) -> dict[str, object]:
    counted, labels = (
        json.loads((out / f"count-{name}.json").read_text()),
        fates(out / f"{name}.log"),
    )
    rate = Rate(int(counted["successes"]), int(counted["episodes"]))
    return {"labels": str(labelling), "seed": labelling.seed, **labels, "success": str(rate)}


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.wrong_labels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("out", type=Path)
    top.add_argument("--log", type=Path, required=True, help="that a simulator labelled")
    top.add_argument("--verdicts", type=Path, help="what benchmarks.rewards --verdicts wrote")
    top.add_argument("--detectors", nargs="+", default=["subtraction"])
    top.add_argument("--seeds", type=int, default=1)
    top.add_argument("--jobs", type=int, default=2)
    top.add_argument("--results", type=Path, default=Path("benchmarks/results/wrong_labels.json"))
    a = top.parse_args(argv)
    chosen = {
        f"{name}-{seed}": replace(labelling, seed=seed)
        for seed in range(a.seeds)
        for name, labelling in arms(a.verdicts, a.detectors).items()
    }

    def work() -> None:
        todo = [one for name, how in chosen.items() for one in stages(a.out, a.log, name, how)]
        carry_out(todo, a.out, a.jobs, {**os.environ, **THREADS})
        rows = [told(a.out, name, how) for name, how in chosen.items()]
        given = " --verdicts verdicts.json" if a.verdicts else ""
        command = f"python -m benchmarks.wrong_labels out/wrong --log out/experiment/random{given}"
        a.results.write_text(json.dumps({"command": command, "arms": rows}, indent=1) + "\n")
        print(*rows, sep="\n")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())

"""The loop that improves by itself: a policy in a room that it never saw, judged by the cell alone.

    python -m benchmarks.improving run out/improving/factory0 --room factory --seed 0
    python -m benchmarks.improving show out/improving/* --out benchmarks/results/improving

`run` plays the cell in lockstep (lockstep.py) with the policy that comes along, or one of
policy.train's (`--start`), first as it came (`--alone`: what all else is compared with). Then the
hand's camera is looked for in the log, and the learner of `policy.finetune` reads it and offers
models, which are served from the next episode on; the last one is FOLDER/policy.onnx. It sees what
the detectors say, never the simulator's truth; that is counted beside it. Between two episodes it
makes all the updates that are due, as it does while a real episode is played.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import rosless  # noqa: F401  nodes' parts are imported without ROS
from matplotlib import pyplot as plt
from regrasp_nodes.camera_search import CameraSearch
from tqdm import tqdm

from calibration.fromlog import MOST
from policy.config import FinetuneConfig
from policy.contract import Invalid
from policy.contract.files import write_atomic
from policy.experience.errors import MISTAKES
from policy.finetune import Finetuning
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from policy.statistics import Rate

from .beside import Beside
from .lockstep import STEPS, LockstepCell, Played

FIRST, LAST, WINDOW = 50, 100, 50
START = Path("policy/trained/grasp.onnx")
CAMERA = "wrist"
BEGUN, PLAYED, LEARNT = "begun", "played.json", "policy.onnx"  # the last one at the end


def ended(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the run told whose folder it is, if it came to its end and was asked the same."""
    if not (folder / LEARNT).exists():
        return None
    told: dict[str, Any] = json.loads((folder / PLAYED).read_text())
    found = {**told, "episodes": len(told["episodes"])}
    for key, value in asked.items():
        if found.get(key) != value:
            raise Invalid(key, value, f"{found.get(key)}, as in {folder}", "name another folder")
    return told


def begin(folder: Path) -> None:
    """A new folder; or that of a run which did not end, without what it left."""
    if folder.exists():
        if not (folder / BEGUN).exists():
            raise Invalid("folder", str(folder), "none, or a run's", "name another, or remove it")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / BEGUN).touch()


def run(a: argparse.Namespace) -> None:
    fields = dict(choice.split("=", 1) for choice in a.choices)
    values = {name: json.loads(value) for name, value in fields.items()}
    log, learner = a.folder / "log", a.folder / "learner"
    policy = a.start / "policy.onnx" if a.start.is_dir() else a.start
    start = a.start if a.start.is_dir() else a.start.with_suffix(".safetensors")
    config = FinetuneConfig.of({"start": str(start), "log": str(log), "seed": a.seed, **values})
    if a.alone < MOST:  # who looks for the camera would wait for more of them for ever
        raise Invalid("alone", a.alone, f"{MOST} or more", "the hand's camera is found in them")
    asked = {
        "room": a.room, "seed": a.seed, "explore": a.explore, "alone": a.alone,
        "steps": a.steps, "start": str(a.start), "choices": values,
    }  # fmt: skip
    if before := ended(a.folder, {**asked, "episodes": a.episodes}):
        print(summary(before))
        return
    begin(a.folder)
    played: list[Played] = []
    with ExitStack() as stack:
        host = stack.enter_context(Host(OnnxPolicy(policy)))
        cell = LockstepCell(
            host, log, a.room, a.seed, a.explore, a.folder / "reward", steps=a.steps
        )
        stack.enter_context(cell.twin)
        beside: Beside | None = None
        cell.calibrate()
        for number in tqdm(range(a.episodes), unit=" episodes", disable=not sys.stderr.isatty()):
            played.append(cell.play())
            if number + 1 == a.alone:
                search = CameraSearch(cell.cell, CAMERA, log, learner / "views.json")
                while not search.done():
                    time.sleep(0.1)
                views = str(search.path) if search.path.exists() else None
                tuning = Finetuning(replace(config, views=views), learner, stack)
                beside = Beside(tuning, host)
            if beside is not None:
                beside.catch_up()
            counts = {"broken": dict(cell.counts), "guard": dict(cell.guard.counts)}
            told = {**asked, "episodes": [asdict(one) for one in played], **counts}
            (a.folder / PLAYED).write_text(json.dumps(told))
        last = beside.last() if beside is not None else None
        write_atomic(a.folder / LEARNT, (last or policy).read_bytes())
    print(summary(told))


def rate(episodes: Sequence[dict[str, Any]], key: str) -> Rate:
    return Rate(sum(one[key] is True for one in episodes), len(episodes))


def summary(told: dict[str, Any]) -> dict[str, Any]:
    """An episode that was broken off, or that nobody could judge, is none that succeeded."""
    episodes = told["episodes"]
    agreed = [one for one in episodes if one["judged"] is not None]
    return {
        "room": told["room"], "seed": told["seed"], "choices": told["choices"],
        "explore": told["explore"], "alone": told["alone"], "steps": told["steps"],
        "episodes": len(episodes),
        "first": str(rate(episodes[:FIRST], "judged")),
        "last": str(rate(episodes[-LAST:], "judged")),
        "first_truth": str(rate(episodes[:FIRST], "truth")),
        "last_truth": str(rate(episodes[-LAST:], "truth")),
        "judged_as_it_was": str(Rate(sum(e["judged"] == e["truth"] for e in agreed), len(agreed))),
        "broken_off": sum(bool(one["problem"]) for one in episodes),
        "policies": len({one["version"] for one in episodes}),
    }  # fmt: skip


def show(a: argparse.Namespace) -> None:
    runs = [json.loads((folder / PLAYED).read_text()) for folder in a.folders]
    rooms = sorted({one["room"] for one in runs})
    mpl.use("agg")
    figure, axes = plt.subplots(
        1, len(rooms), figsize=(4.5 * len(rooms), 3.4), sharey=True, layout="constrained"
    )
    for room, axis in zip(rooms, np.atleast_1d(axes), strict=True):
        mine = [one for one in runs if one["room"] == room]
        for one in mine:
            good = np.array([episode["judged"] is True for episode in one["episodes"]], float)
            smooth = np.convolve(good, np.ones(WINDOW) / WINDOW, "valid")
            axis.plot(np.arange(WINDOW, len(good) + 1), smooth, label=f"seed {one['seed']}")
            axis.axvline(one["alone"], color="grey", linewidth=0.8, linestyle=":")
        axis.set(title=room, xlabel="episode", ylim=(0, 1))
        axis.grid(alpha=0.3)
    first = np.atleast_1d(axes)[0]
    first.set_ylabel(f"judged a success, of the last {WINDOW}")
    first.legend(loc="lower right")
    a.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(a.out.with_suffix(".png"), dpi=110)
    totals = []
    for room in rooms:
        mine = [one["episodes"] for one in runs if one["room"] == room]
        firsts, lasts = [e for m in mine for e in m[:FIRST]], [e for m in mine for e in m[-LAST:]]
        totals.append(
            {
                "room": room, "runs": len(mine),
                "first": str(rate(firsts, "judged")), "last": str(rate(lasts, "judged")),
            }
        )  # fmt: skip
    told = {"command": a.command, "rooms": totals, "runs": [summary(one) for one in runs]}
    a.out.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.improving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sides = top.add_subparsers(required=True, metavar="COMMAND")
    one = sides.add_parser("run")
    told = "that is made; made again if its run did not end, only told of if it did"
    one.add_argument("folder", type=Path, help=told)
    one.add_argument(
        "--start", type=Path, default=START, help="a policy with its weights, or a run"
    )
    one.add_argument("--room", default="factory")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--episodes", type=int, default=300)
    one.add_argument("--alone", type=int, default=50, help="episodes before anything is learnt")
    one.add_argument("--explore", type=float, default=0.2, help="share of steps that stray")
    one.add_argument("--steps", type=int, default=STEPS, help="actions an episode, at most")
    one.add_argument("choices", nargs="*", help="of the learner, as field=JSON")
    one.set_defaults(run=run)
    two = sides.add_parser("show")
    two.add_argument("folders", type=Path, nargs="+")
    two.add_argument("--out", type=Path, default=Path("benchmarks/results/improving"))
    two.set_defaults(run=show)
    a = top.parse_args(argv)
    a.command = "python -m benchmarks.improving run FOLDER CHOICES --room ROOM --seed SEED"
    try:
        a.run(a)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

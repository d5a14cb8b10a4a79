"""A policy that refines itself by episodes that somebody labels, sometimes wrongly.

    python -m benchmarks.wrong_labels_online run out/wrong/5-0 \\
        --start out/experiment/policy-random-0 --logs out/experiment/random --wrong 0.05
    python -m benchmarks.wrong_labels_online show out/wrong/*

It plays in a room of the twin and learns by what benchmarks.labellers makes of each episode, with
the learner of `policy.finetune`; then grasps are counted (`--episodes 0`: of the policy as it was).
Between two episodes all updates are made that are due, as in benchmarks.improving.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tqdm import tqdm

from policy.config import FinetuneConfig
from policy.evaluate import HELD_OUT
from policy.experience.episode import Verdict
from policy.experience.telling import exit_code
from policy.finetune import Finetuning
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from policy.statistics import Rate

from .beside import Beside
from .finetuning import Room, logged, succeeded
from .labellers import Labelling, fate

APART = 10_000  # episodes of a seed
RESULTS = Path("benchmarks/results/wrong_labels_online.json")
COMMAND = (
    "python -m benchmarks.wrong_labels_online run FOLDER --start out/experiment/policy-random-0 "
    "--logs out/experiment/random --room ROOM LABELS --seed SEED"
)


def learn(a: argparse.Namespace, labelling: Labelling) -> None:
    label, log, policy = labelling.labeller(), a.folder / "log", a.start / "policy.onnx"
    choices = {name: json.loads(value) for name, value in (c.split("=", 1) for c in a.choices)}
    config = FinetuneConfig.of(
        {
            "start": str(a.start), "log": str(log), "seed": a.seed,
            "data": {"logs": [str(one) for one in a.logs], "online_share": [0.5, 0.5]},
            "first_update": 500, "updates_per_step": 0.5, "offer_every": 500, "rate": 1.0,
            **choices,
        }
    )  # fmt: skip
    a.folder.mkdir(parents=True)
    truths, labels = list[bool](), Counter[str]()
    with ExitStack() as stack:
        room = Room(a.room, OnnxPolicy(policy).card)
        stack.enter_context(closing(room.env))
        host = stack.enter_context(Host(OnnxPolicy(policy)))
        beside = Beside(Finetuning(config, a.folder / "learner", stack), host)

        def told(truth: bool) -> Verdict:
            verdict = label(truth)
            labels[fate(verdict, truth)] += 1
            return verdict

        for number in tqdm(range(a.episodes), unit=" episodes", disable=not sys.stderr.isatty()):
            truths.append(logged(room, host, a.seed * APART + number, log, a.explore, told))
            beside.catch_up()
        last = beside.last() or policy
    seeds = range(HELD_OUT, HELD_OUT + a.count)
    rate = Rate(succeeded(last, a.room, seeds), a.count)
    told_of = {
        "room": a.room, "seed": a.seed, "labels": str(labelling), "fates": labels,
        "choices": choices, "learnt": truths, "episodes": a.count, "successes": rate.successes,
    }  # fmt: skip
    (a.folder / "counted.json").write_text(json.dumps(told_of))
    print(f"{labelling}, {a.episodes} episodes: {rate}")


def show(folders: Sequence[Path], out: Path) -> None:
    """By room, length and labels: all seeds together."""
    runs: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    for folder in folders:
        told = json.loads((folder / "counted.json").read_text())
        runs.setdefault((told["room"], len(told["learnt"]), told["labels"]), []).append(told)
    rows = []
    for (room, episodes, labels), some in sorted(runs.items()):
        won, tried = (sum(one[key] for one in some) for key in ("successes", "episodes"))
        fates = sum((Counter[str](one["fates"]) for one in some), Counter[str]())
        rows.append(
            {
                "room": room, "learnt_from": episodes, "labels": labels, "fates": fates,
                "success": str(Rate(won, tried)),
                "by_seed": {str(one["seed"]): one["successes"] for one in some},
            }
        )  # fmt: skip
        print(room, episodes, labels, dict(fates), rows[-1]["success"])
    out.write_text(json.dumps({"command": COMMAND, "rows": rows}, indent=1) + "\n")


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.wrong_labels_online",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sides = top.add_subparsers(required=True, metavar="COMMAND")
    one = sides.add_parser("run")
    one.add_argument("folder", type=Path, help="that is made")
    one.add_argument("--start", type=Path, required=True, help="a run of policy.train")
    one.add_argument("--logs", type=Path, nargs="*", default=[], help="learnt from, too")
    one.add_argument("--room", default="lab_night")
    one.add_argument("--episodes", type=int, default=300)
    one.add_argument("--count", type=int, default=200, help="grasps, afterwards")
    one.add_argument("--explore", type=float, default=0.25, help="of a range, in some steps")
    one.add_argument("--choices", nargs="*", default=[], help="of the learner, as field=JSON")
    Labelling.choices(one)
    one.set_defaults(run=lambda a: learn(a, Labelling.of(a)))
    two = sides.add_parser("show")
    two.add_argument("folders", type=Path, nargs="+")
    two.add_argument("--out", type=Path, default=RESULTS)
    two.set_defaults(run=lambda a: show(a.folders, a.out))
    a = top.parse_args(argv)
    return exit_code(lambda: a.run(a))


if __name__ == "__main__":
    sys.exit(main())

"""What wrong labels cost a policy that learns online.

    python -m benchmarks.mislabelled run out/wrong/5-0 --start out/experiment/policy-random-0 \\
        --logs out/experiment/random --room lab_night --wrong 0.05 --seed 0
    python -m benchmarks.mislabelled run out/wrong/gated-0 ... --verdicts verdicts.json --gated
    python -m benchmarks.mislabelled show out/wrong/* --out benchmarks/results/mislabelled

`run` refines a policy by episodes of its own in a room of the twin, with the learner of
`policy.finetune`, and counts grasps (`--episodes 0`: of the policy as it was). Who labels knows the
simulator's truth and tells it wrong so often; or says what a detector said of an episode that went
the same way, out of a file that `benchmarks.rewards --verdicts` wrote: each verdict, or, `--gated`,
as its gate lets it. Between two episodes all updates are made that are due, as in
benchmarks.improving.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from tqdm import tqdm

from policy.config import FinetuneConfig
from policy.contract import decode_json
from policy.contract.files import OFFERS, newest
from policy.evaluate import HELD_OUT
from policy.experience.episode import HEARD, Verdict
from policy.experience.errors import MISTAKES
from policy.finetune import Finetuning
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from policy.statistics import Rate
from reward.gate import examine

from .finetuning import Label, Room, logged, succeeded

DONE = "counted.json"


def flipped(wrong: float, random: np.random.Generator) -> Label:
    return lambda truth: Verdict("labeller", bool(truth ^ (random.random() < wrong)))


def measured(path: Path, who: str, gated: bool, random: np.random.Generator) -> Label:
    """As `who` judged some episode that went the same way. The gate is given by every other one."""
    known = decode_json(dict[str, list[tuple[Verdict, bool]]], path.read_text(), str(path))[who]
    shown = known[::2]
    gate = examine(who, [verdict for verdict, _ in shown], [truth for _, truth in shown])
    print(gate)
    by_truth: dict[bool, list[Verdict]] = defaultdict(list)
    for verdict, truth in known[1::2]:
        by_truth[truth].append(verdict)

    def label(truth: bool) -> Verdict:
        said = by_truth[truth]
        one = said[random.integers(len(said))]
        may = gate.passed and one.confidence >= gate.threshold
        heard = HEARD if gated and not may else ""
        return Verdict(who, one.success, one.confidence, one.abstained, heard)

    return label


def run(a: argparse.Namespace) -> None:
    random = np.random.default_rng([a.seed, 7])
    label = (
        measured(a.verdicts, a.detector, a.gated, random)
        if a.verdicts
        else flipped(a.wrong, random)
    )
    choices = {name: json.loads(value) for name, value in (c.split("=", 1) for c in a.choices)}
    log, seeds = a.folder / "log", range(HELD_OUT, HELD_OUT + a.count)
    config = FinetuneConfig.of(
        {
            "start": str(a.start), "log": str(log), "seed": a.seed,
            "data": {"logs": [str(one) for one in a.logs], "online_share": [0.5, 0.5]},
            "first_update": 500, "updates_per_step": 0.5, "offer_every": 250, "rate": 1.0,
            **choices,
        }
    )  # fmt: skip
    a.folder.mkdir(parents=True)
    first = OnnxPolicy(a.start / "policy.onnx")
    truths, labels = list[bool](), Counter[str]()
    with ExitStack() as stack:
        room = Room(a.room, first.card)
        stack.enter_context(closing(room.env))
        host = stack.enter_context(Host(first))
        tuning, served = Finetuning(config, a.folder / "learner", stack), None

        def told(truth: bool) -> Verdict:
            verdict = label(truth)
            silent = verdict.abstained or verdict.gate == HEARD
            labels["none" if silent else "right" if verdict.success == truth else "wrong"] += 1
            return verdict

        for number in tqdm(range(a.episodes), unit=" episodes", disable=not sys.stderr.isatty()):
            truths.append(logged(room, host, a.seed * 10_000 + number, log, a.explore, told))
            tuning.catch_up()
            latest = newest(tuning.offers.directory, OFFERS)
            if latest is not None and latest != served:
                host.offer(latest).result()
                served = latest
        if tuning.progress.updates:
            tuning.offer()
    last = newest(a.folder / "learner" / "offers", OFFERS) or a.start / "policy.onnx"
    counted = {
        "room": a.room, "seed": a.seed, "labels_by": a.detector if a.verdicts else "flips",
        "wrong": a.wrong, "gated": a.gated, "choices": choices, "labels": labels,
        "learnt": [bool(one) for one in truths], "tries": a.count,
        "successes": succeeded(last, a.room, seeds),
    }  # fmt: skip
    (a.folder / DONE).write_text(json.dumps(counted))
    print(words(counted), Rate(counted["successes"], a.count))


def words(one: dict[str, Any]) -> str:
    if not one["learnt"]:
        return "nothing learnt"
    if one["labels_by"] == "flips":
        return f"{one['wrong']:.0%} flipped"
    return f"{one['labels_by']}, {'with' if one['gated'] else 'without'} its gate"


def show(a: argparse.Namespace) -> None:
    """All seeds of an arm together."""
    runs = [json.loads((folder / DONE).read_text()) for folder in a.folders]
    arms = {name: [one for one in runs if words(one) == name] for name in map(words, runs)}
    mpl.use("agg")
    figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    rows, told = [], []
    for place, (name, mine) in enumerate(arms.items()):
        after = Rate(*(sum(one[key] for one in mine) for key in ("successes", "tries")))
        labels = sum((Counter(one["labels"]) for one in mine), Counter[str]())
        shares = {key: labels[key] / max(labels.total(), 1) for key in ("wrong", "none")}
        low, high = after.interval
        axis.errorbar(after.value, -place, xerr=[[after.value - low], [high - after.value]],
                      fmt="o", color="C0", capsize=3)  # fmt: skip
        each = [one["successes"] / one["tries"] for one in mine]
        axis.plot(each, [-place] * len(each), "|", color="grey")
        rows.append(f"| {name} | {len(mine)} | {shares['wrong']:.1%} | {shares['none']:.1%} | "
                    f"{after} |\n")  # fmt: skip
        told.append({"arm": name, "seeds": len(mine), **shares, "success": str(after),
                     "each": each})  # fmt: skip
    axis.set_yticks([-place for place in range(len(arms))], list(arms))
    axis.set(xlabel=f"grasps that succeed after learning, {runs[0]['room']}")
    axis.grid(alpha=0.3)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(a.out.with_suffix(".png"), dpi=110)
    whole = {"command": "python -m benchmarks.mislabelled run FOLDER ...", "arms": told}
    a.out.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")
    head = "| labels | seeds | wrong | none | success |\n|---|---|---|---|---|\n"
    print(head + "".join(rows), end="")


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.mislabelled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sides = top.add_subparsers(required=True, metavar="COMMAND")
    one = sides.add_parser("run")
    one.add_argument("folder", type=Path, help="that is made")
    one.add_argument("--start", type=Path, required=True, help="a run of policy.train")
    one.add_argument("--logs", type=Path, nargs="*", default=[], help="learnt from, too")
    one.add_argument("--room", default="lab_night")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--wrong", type=float, default=0.0, help="share of labels")
    one.add_argument("--verdicts", type=Path, help="of benchmarks.rewards, instead")
    one.add_argument("--detector", default="subtraction", help="whose")
    one.add_argument("--gated", action="store_true")
    one.add_argument("--episodes", type=int, default=300)
    one.add_argument("--count", type=int, default=200, help="grasps, afterwards")
    one.add_argument("--explore", type=float, default=0.25, help="of a range, in some steps")
    one.add_argument("--choices", nargs="*", default=[], help="of the learner, as field=JSON")
    one.set_defaults(run=run)
    two = sides.add_parser("show")
    two.add_argument("folders", type=Path, nargs="+")
    two.add_argument("--out", type=Path, default=Path("benchmarks/results/mislabelled"))
    two.set_defaults(run=show)
    a = top.parse_args(argv)
    try:
        a.run(a)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

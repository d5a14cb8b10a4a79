"""A policy that refines itself by episodes that somebody labels, sometimes wrongly.

    python -m benchmarks.wrong_labels_online out/wrong/5-0 --start out/experiment/policy-random-0 \\
        --logs out/experiment/random --room lab_night --wrong 0.05 --seed 0

It plays in a room of the twin and learns by what benchmarks.labellers makes of each episode, with
the learner of `policy.finetune`; then grasps are counted (`--episodes 0`: of the policy as it was).
Between two episodes all updates are made that are due, as in benchmarks.improving.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

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
        "room": a.room, "labels": str(labelling), "fates": labels, "choices": choices,
        "learnt": truths, "episodes": a.count, "successes": rate.successes,
    }  # fmt: skip
    (a.folder / "counted.json").write_text(json.dumps(told_of))
    print(f"{labelling}, {a.episodes} episodes: {rate}")


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.wrong_labels_online",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("folder", type=Path, help="that is made")
    top.add_argument("--start", type=Path, required=True, help="a run of policy.train")
    top.add_argument("--logs", type=Path, nargs="*", default=[], help="learnt from, too")
    top.add_argument("--room", default="lab_night")
    top.add_argument("--episodes", type=int, default=300)
    top.add_argument("--count", type=int, default=200, help="grasps, afterwards")
    top.add_argument("--explore", type=float, default=0.25, help="of a range, in some steps")
    top.add_argument("--choices", nargs="*", default=[], help="of the learner, as field=JSON")
    Labelling.choices(top)
    a = top.parse_args(argv)
    return exit_code(lambda: learn(a, Labelling.of(a)))


if __name__ == "__main__":
    sys.exit(main())

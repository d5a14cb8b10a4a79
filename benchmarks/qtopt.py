"""An update of QT-Opt: the picture encoded once a state, or again for each action.

    python -m benchmarks.qtopt

On the same random batch: the Bellman targets alone (the search for the next action, 64 samples, 3
iterations), and a whole update, gradient step included. Both contenders are the same learner; the
second has `late_merge: false`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch

from benchmarks.deciding import deployment
from benchmarks.harness import Worker, compare, save, serve, table
from policy.cem import CemConfig
from policy.experience.replay.sampler import Batch
from policy.learners.learner import Observations
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.networks.critic import CriticConfig

RESULT = Path(__file__).with_name("results") / "qtopt.json"
PARTS = ("targets", "update")
CONTENDERS = {"late merge": True, "naive tiling": False}


def contender(name: str, part: str, size: int, rows: int) -> Callable[[], object]:
    torch.manual_seed(0)
    interface = deployment(size).seen
    critic = CriticConfig(norm="layer", late_merge=CONTENDERS[name])
    config = QTOptConfig(
        critic=critic, cem=CemConfig(iterations=3), optimizer="adam", precision="bf16"
    )
    learner = QTOpt(interface, config)
    frames = torch.randint(0, 256, (2, rows, 1, size, size, 3), dtype=torch.uint8)
    proprio, past = torch.rand(2, rows, 5), torch.zeros(2, rows, 2, 7)
    batch = Batch(
        images={"front": frames[0]},
        next_images={"front": frames[1]},
        proprio=proprio[0],
        next_proprio=proprio[1],
        past_actions=past[0],
        next_past_actions=past[1],
        action=torch.zeros(rows, 7),
        reward=torch.zeros(rows),
        discount=torch.full((rows,), 0.9),
        driver=torch.zeros(rows, dtype=torch.uint8),
        source=torch.zeros(rows, dtype=torch.uint8),
    )
    if part == "targets":
        noise = learner._noise(rows, config.cem)
        return lambda: learner._target(batch, Observations.after(batch), noise)
    return lambda: learner.update(batch)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.qtopt", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--worker", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    a = parser.parse_args(argv)
    if a.worker:
        serve(contender(a.worker, a.part, a.size, a.batch))
        return
    choice = ["--size", str(a.size), "--batch", str(a.batch)]
    command = [sys.executable, "-m", "benchmarks.qtopt", *choice, "--part"]
    found = []
    for part in PARTS:
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(Worker([*command, part, "--worker", name]))
                for name in CONTENDERS
            }
            title = f"{part}, {a.size} px, batch {a.batch}"
            found.append(compare(title, workers, a.rounds, calls=1))
    save(a.out, found, " ".join(["python -m benchmarks.qtopt", *choice]), ["torch"])
    print(table(found))


if __name__ == "__main__":
    main()

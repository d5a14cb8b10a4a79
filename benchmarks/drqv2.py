"""An update of DrQ-v2, against the authors' own code on the same random batch.

    git clone https://github.com/facebookresearch/drqv2 /tmp/drqv2
    python -m benchmarks.drqv2 --drqv2 /tmp/drqv2

84x84x9 pictures, batch 256, published sizes and rates. Theirs in full precision, as published, and
without their metrics; ours with them, in full precision and in bf16. Memory comes in pages of 4 kB,
as by default, or, in the cases so named, in large ones: torch takes them for whoever sets
THP_MEM_ALLOC_ENABLE=1, both contenders alike.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.harness import Comparison, Worker, compare, save, serve, table
from policy.contract import ActionEntry, ActionSpec, ImageSpec, Interface, ObservationSpec
from policy.experience.replay.sampler import Batch
from policy.learners.drqv2 import DrQv2, DrQv2Config

SIDE, STACK, ACTIONS, BATCH = 84, 3, 6, 256
RESULT = Path(__file__).with_name("results") / "drqv2.json"
PAGES = {"4 kB pages": [], "large pages": ["env", "THP_MEM_ALLOC_ENABLE=1"]}


def transitions() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)

    def frames() -> Tensor:
        shape = (BATCH, STACK, SIDE, SIDE, 3)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)

    return {
        "now": frames(),
        "after": frames(),
        "action": 2 * torch.rand(BATCH, ACTIONS, generator=random) - 1,
        "reward": torch.rand(BATCH, generator=random),
        "discount": torch.full((BATCH,), 0.99**3),
    }


def regrasp(precision: Any) -> Callable[[], object]:
    interface = Interface(
        ObservationSpec((ImageSpec("front", SIDE, SIDE),), action_window=0),
        ActionSpec(tuple(ActionEntry(f"a{k}", "1", -1.0, 1.0) for k in range(ACTIONS))),
        0.05,
    )
    learner = DrQv2(interface, DrQv2Config(precision=precision))
    given = transitions()
    nothing, none = torch.zeros(BATCH, 0), torch.zeros(BATCH, 0, ACTIONS)
    batch = Batch(
        images={"front": given["now"]},
        next_images={"front": given["after"]},
        proprio=nothing,
        next_proprio=nothing,
        past_actions=none,
        next_past_actions=none,
        action=given["action"],
        reward=given["reward"],
        discount=given["discount"],
        driver=torch.zeros(BATCH, dtype=torch.uint8),
        source=torch.zeros(BATCH, dtype=torch.uint8),
    )
    return lambda: learner.update(batch)


def authors(directory: Path) -> Callable[[], object]:
    sys.path.insert(0, str(directory))
    theirs = importlib.import_module("drqv2")
    agent = theirs.DrQV2Agent(
        obs_shape=(3 * STACK, SIDE, SIDE),
        action_shape=(ACTIONS,),
        device="cpu",
        lr=1e-4,
        feature_dim=50,
        hidden_dim=1024,
        critic_target_tau=0.01,
        num_expl_steps=2000,
        update_every_steps=2,
        stddev_schedule="linear(1.0,0.1,500000)",
        stddev_clip=0.3,
        use_tb=False,
    )
    given = transitions()

    def planes(frames: Tensor) -> Tensor:
        return frames.permute(0, 1, 4, 2, 3).reshape(BATCH, 3 * STACK, SIDE, SIDE)

    column = given["action"], given["reward"][:, None], given["discount"][:, None]
    batches = itertools.repeat((planes(given["now"]), *column, planes(given["after"])))
    return lambda: agent.update(batches, 0)


def measure(precision: str, pages: str, given: argparse.Namespace) -> Comparison:
    command = [*PAGES[pages], sys.executable, "-m", "benchmarks.drqv2"]
    command += ["--drqv2", str(given.drqv2), "--threads", str(given.threads), "--worker"]
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker([*command, contender]))
            for name, contender in ((f"regrasp {precision}", precision), ("authors", "authors"))
        }
        return compare(f"{precision}, {pages}", workers, given.rounds, given.calls)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drqv2", description=__doc__)
    parser.add_argument("--drqv2", type=Path, required=True, help="a checkout of the authors' code")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--calls", type=int, default=2, help="updates a turn")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    contenders = ["authors", "fp32", "bf16"]
    parser.add_argument("--worker", choices=contenders, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        torch.set_num_threads(given.threads)
        call = authors(given.drqv2) if given.worker == "authors" else regrasp(given.worker)
        serve(call, threads=torch.get_num_threads())
        return
    comparisons = [
        measure(precision, pages, given) for pages in PAGES for precision in ("bf16", "fp32")
    ]
    settings = f"--rounds {given.rounds} --calls {given.calls} --threads {given.threads}"
    command = f"python -m benchmarks.drqv2 --drqv2 DIR {settings}"
    save(given.out, comparisons, command, ["numpy", "torch"])
    print(table(comparisons))


if __name__ == "__main__":
    main()

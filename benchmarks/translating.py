"""A translator's generator: a gradient step of the same network, plainly and as it is here.

    python -m benchmarks.translating

CycleGAN's ResNet-6 at its published width. *plain* is the textbook: float32, contiguous memory,
torch's instance norm, Adam in a loop. *ours* has bf16 where the processor has, channels-last
memory, the norm of sim2real.networks and the Adam of sim2real.adam. *trap* is ours with the
substitute that is usually advised for the norm, a group norm with a group a channel. All begin with
the same weights; how far their pictures are apart, in grey levels, stands in the result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.harness import Comparison, Worker, compare, save, serve, table
from policy.learners.precision import autocast
from sim2real.adam import FusedAdam
from sim2real.networks import NetworkConfig, PictureNorm, make_generator

RESULT = Path(__file__).with_name("results") / "translating.json"
CONTENDERS = ("plain", "ours", "trap")
NETWORK = NetworkConfig(width=64, blocks=6)
CPU = torch.device("cpu")


def with_norms(network: nn.Module, norm: Callable[[], nn.Module]) -> nn.Module:
    for name, part in network.named_children():
        if isinstance(part, PictureNorm):
            setattr(network, name, norm())
        else:
            with_norms(part, norm)
    return network


class Instances(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.instance_norm(x)


class Groups(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.group_norm(x, x.shape[1])


def plain(size: int) -> nn.Module:
    network = make_generator(NETWORK, size)
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return with_norms(network, Instances)


def contender(name: str, size: int, batch: int) -> tuple[Callable[[], object], dict[str, Any]]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    reference = plain(size)
    torch.manual_seed(0)
    ours = make_generator(NETWORK, size)
    network = {"plain": reference, "ours": ours}.get(name) or with_norms(ours, Groups)
    quick = name != "plain"
    weights, rate, betas = network.parameters(), 2e-4, (0.5, 0.999)
    optimizer = (
        FusedAdam(weights, rate, betas)
        if quick
        else torch.optim.Adam(weights, rate, betas, foreach=False)
    )
    shown, wanted = torch.rand(2, batch, 3, size, size).mul(2).sub(1)
    layout = torch.channels_last if quick else torch.contiguous_format
    shown = shown.contiguous(memory_format=layout)

    def painted() -> torch.Tensor:
        with autocast(CPU, "auto" if quick else "fp32"):
            found: torch.Tensor = network(shown)
        return found.float()

    with torch.no_grad():
        apart = (painted() - reference(shown.contiguous())).abs().mul(127.5)

    def step() -> None:
        loss = F.l1_loss(painted(), wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return step, {"levels_apart": [float(apart.mean()), float(apart.max())]}


def measure(size: int, batch: int, rounds: int, calls: int) -> Comparison:
    with ExitStack() as stack:
        shape = ["--size", str(size), "--batch", str(batch)]
        command = [sys.executable, "-m", "benchmarks.translating", *shape, "--worker"]
        workers = {n: stack.enter_context(Worker([*command, n])) for n in CONTENDERS}
        return compare(f"{size} px, batch {batch}", workers, rounds, calls)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.translating", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=2)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, help="only this; else 1 and 4")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--worker", choices=CONTENDERS, help=argparse.SUPPRESS)
    a = parser.parse_args(argv)
    if a.worker:
        step, told = contender(a.worker, a.size, a.batch)
        serve(step, **told)
        return
    batches = [a.batch] if a.batch else [1, 4]
    found = [measure(a.size, batch, a.rounds, a.calls) for batch in batches]
    command = f"python -m benchmarks.translating --rounds {a.rounds} --calls {a.calls}"
    save(a.out, found, command, ["torch"])
    print(table(found))


if __name__ == "__main__":
    main()

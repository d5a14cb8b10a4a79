"""python -m reward.train FOLDER LOG ...: train the classifier of a cell on its labelled pictures.

FOLDER is the reward node's. A part of the episodes is held out: the report in FOLDER/report tells
precision, recall and ROC of it, and shows the worst mistakes. None of them trains the network, but
all count as seen: the gate (`python -m reward test`) wants episodes of its own.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from policy.experience.episode import PERSON
from policy.experience.errors import MISTAKES

from . import graph
from .classifier import NAME, Record
from .detector import Setup
from .labels import Example, labelled
from .models import model_file
from .network import Deployed, PairNetwork
from .pairs import Pairs, as_fed, crop_of, load, split, varied
from .report import Report

BATCH = 16


@dataclass(frozen=True)
class Training:
    epochs: int = 40
    rate: float = 2e-3
    decay: float = 1e-3
    seed: int = 0


def fit(train: Pairs, validation: Pairs, how: Training) -> PairNetwork:
    """As it was after the epoch that was best on the validation part."""
    torch.manual_seed(how.seed)
    random = torch.Generator().manual_seed(how.seed)
    network = PairNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=how.decay)
    steps = how.epochs * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.rate, steps)
    weight = balance(train.label)
    best, kept = math.inf, network.state_dict()
    for _ in tqdm(range(how.epochs), unit=" epochs", disable=not sys.stderr.isatty()):
        network.train()
        for rows in torch.split(torch.randperm(len(train), generator=random), BATCH):
            batch = varied(train.of(rows), random)
            logit = network(batch.before, batch.after)
            loss = binary_cross_entropy_with_logits(logit, batch.label, pos_weight=weight)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        found = logits(network, validation)
        told = float(binary_cross_entropy_with_logits(found, validation.label, pos_weight=weight))
        if told < best:
            best = told
            kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(kept)
    return network


def balance(label: Tensor) -> Tensor:
    """What a success counts, for both kinds to count the same."""
    return (len(label) - label.sum()) / label.sum()


@torch.no_grad()
def logits(network: PairNetwork, pairs: Pairs) -> Tensor:
    network.eval()
    rows = torch.split(torch.arange(len(pairs)), BATCH)
    parts = (pairs.of(one) for one in rows)
    return torch.cat([network(one.before.float(), one.after.float()) for one in parts])


def calibrate(logit: Tensor, label: Tensor, prior: float) -> float:
    """The temperature that makes its probabilities true of the validation part: a network is surer
    than it is right."""
    temperatures = torch.logspace(-1, 1.5, 200)
    losses = [binary_cross_entropy_with_logits(logit / t + prior, label) for t in temperatures]
    return float(temperatures[int(torch.stack(losses).argmin())])


def train(
    folder: Path, known: Sequence[tuple[Example, bool]], how: Training | None = None
) -> list[Report]:
    """One network a camera; returns what is to be said of each."""
    setup = Setup.load(folder)
    parts = split(known, (how or Training()).seed)
    reports = []
    for camera, mask in setup.masks.items():
        crop = crop_of(mask)
        pairs = load(known, camera, crop)
        fitting, checking, held = (
            pairs.of(rows) for rows in (parts.train, parts.validation, parts.held_out)
        )
        network = fit(fitting, checking, how or Training())
        prior = -float(balance(fitting.label).log())
        temperature = calibrate(logits(network, checking), checking.label, prior)
        likely = torch.sigmoid(logits(network, held) / temperature + prior).numpy()
        report = Report([known[row][0] for row in parts.held_out], likely, held.label.numpy() > 0)
        report.write(folder / "report", camera)
        record = Record(
            camera, mask.shape, crop.box, tuple(one.episode for one, _ in known), temperature,
            str(report.precision), str(report.recall),
        )  # fmt: skip
        deployed = Deployed(network, crop, temperature, prior)
        inputs = as_fed(known[parts.held_out[0]][0].pair, camera)
        graph.write(model_file(folder, NAME, camera), deployed, inputs, ["success"], record)
        reports.append(report)
    return reports


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reward.train", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("logs", type=Path, nargs="+", metavar="log")
    parser.add_argument("--by", default=PERSON, help="whose labels are true (default: a person's)")
    parser.add_argument("--epochs", type=int, default=Training.epochs)
    parser.add_argument("--seed", type=int, default=Training.seed)
    a = parser.parse_args(argv)
    try:
        how = Training(epochs=a.epochs, seed=a.seed)
        for report in train(a.folder, labelled(a.logs, a.by), how):
            print(report)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m reward.prefer FOLDER LOG ...: learn a reward from preferences, RL-VLM-F's way.

Pairs of episodes are asked about (--ask vlm, person or labels; none: what was answered before is
enough), three networks learn to tell the preferred one, and labelled episodes tell from which
reward on it is a success.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from policy.contract import Invalid
from policy.experience.episode import PERSON
from policy.experience.errors import MISTAKES

from . import graph
from .asking import Ask, OfModel, Preferred, gather, of_labels, of_person, read
from .detector import Setup
from .labels import Example, examples, labelled
from .models import model_file
from .network import Crop, PairNetwork
from .pairs import Pairs, as_fed, crop_of, load, varied
from .preference import MEMBERS, NAME, Record
from .worth import worth

BATCH = 16
LEAST = 30  # preferences
EPOCHS = 20
RATE, DECAY = 2e-3, 1e-3


class Ensemble(nn.Module):
    """Whole frames to the rewards of each member."""

    def __init__(self, members: Sequence[PairNetwork], crop: Crop) -> None:
        super().__init__()
        self.members, self.crop = nn.ModuleList(members), crop

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        first, second = self.crop(before), self.crop(after)
        return torch.stack([member(first, second) for member in self.members], dim=1)


def fit(pairs: Pairs, rows: Tensor, seed: int, epochs: int = EPOCHS) -> PairNetwork:
    """`rows`: the nearer and the farther one of each preference."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = PairNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = epochs * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    for _ in range(epochs):
        network.train()
        for chosen in torch.split(torch.randperm(len(rows), generator=random), BATCH):
            batch = varied(pairs.of(rows[chosen].T.reshape(-1)), random, swapped=0.0)
            nearer, farther = network(batch.before, batch.after).chunk(2)
            loss = binary_cross_entropy_with_logits(nearer - farther, torch.ones(len(chosen)))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval()


def train(
    folder: Path, shown: Sequence[Example], known: Sequence[tuple[Example, bool]],
    epochs: int = EPOCHS,
) -> list[Record]:  # fmt: skip
    """By the preferences among the episodes `shown`; `known` tell what a reward is worth."""
    setup = Setup.load(folder)
    place = {one.episode: k for k, one in enumerate(shown)}
    told = [p for p in read(folder) if p.nearer and p.one in place and p.other in place]
    if len(told) < LEAST:
        found, wanted = f"{len(told)} in these logs", f"{LEAST} or more"
        raise Invalid("preferences", found, wanted, "ask for more: --ask vlm --pairs 500")
    rows = torch.tensor([[place[p.nearer], place[_farther(p)]] for p in told])
    records = []
    for camera, mask in setup.masks.items():
        crop = crop_of(mask)
        pairs = load([(one, False) for one in shown], camera, crop)
        ensemble = Ensemble([fit(pairs, rows, seed, epochs) for seed in range(MEMBERS)], crop)
        here = pairs.of([place[one.episode] for one, _ in known])
        with torch.no_grad():
            rewards = torch.stack(
                [m(here.before.float(), here.after.float()) for m in ensemble.members], dim=1
            )
        scale, offset = worth(rewards.mean(dim=1).tolist(), [label for _, label in known])
        used = {p.one for p in told} | {p.other for p in told} | {one.episode for one, _ in known}
        record = Record(camera, mask.shape, crop.box, tuple(sorted(used)), len(told), scale, offset)
        frames = as_fed(shown[0].pair, camera)
        graph.write(model_file(folder, NAME, camera), ensemble, frames, ["rewards"], record)
        records.append(record)
    return records


def _farther(preferred: Preferred) -> str:
    return preferred.other if preferred.nearer == preferred.one else preferred.one


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reward.prefer", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("logs", type=Path, nargs="+", metavar="log")
    parser.add_argument("--ask", choices=["vlm", "person", "labels"])
    parser.add_argument("--pairs", type=int, default=300, help="to ask about (default 300)")
    parser.add_argument("--by", default=PERSON, help="whose labels are true (default: a person's)")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args(argv)
    try:
        if a.ask:
            asks: dict[str, Ask] = {"person": of_person, "labels": of_labels}
            ask = asks.get(a.ask) or OfModel(Setup.load(a.folder))
            known = list(examples(a.logs))
            found = list(gather(a.folder, known, a.pairs, ask, a.ask, a.seed))
            print(f"{len(found)} answers, {sum(bool(p.nearer) for p in found)} preferences")
        for record in train(a.folder, list(examples(a.logs)), labelled(a.logs, a.by), a.epochs):
            print(f"{record.camera}: learnt from {record.preferences} preferences")
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

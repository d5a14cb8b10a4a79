"""A policy that sees the cell as the plain simulator, in one ONNX file: RCAN, the policy behind it.

    python -m sim2real.fuse out/rcan out/grasp out/kitchen out/fused.onnx

Takes a run of sim2real.train (translator=rcan), a policy (a run of policy.train, or a file of
policy.start) and a log of the cell, on whose pictures graph and torch are compared. The file has
the inputs, the outputs and the interface of the policy's own: who serves it need not know.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from policy.config import make_learner
from policy.contract import Deployment, Invalid, PolicyCard, Provenance
from policy.experience.errors import MISTAKES
from policy.experience.log import open_index, read_episode
from policy.export import Parity, card_of, export, now
from policy.learners.learner import Observations
from policy.networks.acting import PolicyModule
from policy.offers import enlarged
from policy.offline import reduced
from policy.run import REVISIONS
from policy.start import read_start

from .config import read_translator
from .critic import seen_by
from .pairs import PICTURE
from .rcan import Rcan

STATES = 32  # that graph and torch are compared on


class Behind(PolicyModule):
    """A policy that is shown what `painter` makes of one camera's pictures: of the channels it
    gets, `count` from `first` on, three a frame."""

    def __init__(self, painter: nn.Module, policy: PolicyModule, first: int, count: int) -> None:
        super().__init__()
        self.painter, self.policy, self.noise = painter, policy, policy.noise
        self._cut, self._count = (first, first + count), count

    def forward(
        self,
        images: Tensor,
        proprio: Tensor,
        past_actions: Tensor,
        limits: Tensor,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        before, own, after = images.tensor_split(self._cut, dim=1)
        height, width = images.shape[2:]
        frames = own.reshape(-1, PICTURE, height, width) * 2 - 1
        painted = (self.painter(frames)[:, :PICTURE] + 1) / 2
        own = painted.reshape(-1, self._count, height, width)
        seen = torch.cat([before, own, after], dim=1)
        return self.policy(seen, proprio, past_actions, limits, noise)


def behind(rcan: Rcan, policy: PolicyModule, card: PolicyCard, camera: str, size: int) -> Behind:
    """RCAN, for this camera's pictures at this size, and the policy of the card behind it."""
    first, sizes = 0, {step.image: step.size for step in card.preprocessing}
    for image in card.interface.observation.images:
        if image.name == camera:
            if sizes[camera] != (size, size):
                found, wanted = "{}x{}".format(*sizes[camera]), f"{size}x{size}"
                raise Invalid("policy's size", found, wanted, "train both for the same size")
            painter = rcan.canonical.averaged.cpu()
            return Behind(painter, policy, first, card.stack * PICTURE).eval()
        first += card.stack * image.channels
    found = ", ".join(card.interface.observation.cameras)
    raise Invalid("policy's cameras", found, camera, "train both for the same camera")


def fuse(run: Path, start: Path, log: Path, path: Path) -> Parity:
    """Write the file, unless graph and torch disagree."""
    config, rcan = read_translator(run)
    if not isinstance(rcan, Rcan):
        remedy = "others make the simulator look like the cell: train the policy on what they paint"
        raise Invalid("translator", config.translator, "rcan", remedy)
    begun = read_start(start)
    learner = make_learner(replace(begun.config, device="cpu"), begun.deployment)
    learner.load_state_dict(begun.tensors)
    told = {"policy": begun.config.plain(), "translator": config.plain()}
    origin = Provenance(
        ", ".join([*begun.revisions, *json.loads((run / REVISIONS).read_text())]),
        json.dumps(told),
        (*begun.config.data.logs, config.sim),
        begun.config.seed,
        now(),
    )
    card = card_of(f"{begun.config.name}, {config.name}", learner, begun.deployment, origin)
    fused = behind(rcan, learner.export(), card, config.camera, config.size)
    return export(path, fused, card, _seen(card, log), begun.config.seed)


def _seen(card: PolicyCard, log: Path) -> Observations:
    """Some of what the cell's log has, as raw frames."""
    deployment = Deployment(card.cell_id, card.interface, card.preprocessing)
    cameras = card.interface.observation.cameras
    with open_index(log) as index:
        episodes = [read_episode(entry.path) for entry in list(index)[:STATES]]
    if not episodes:
        raise Invalid("log", f"no episode in {log}", "one or more", "name the cell's log")
    for episode in episodes:
        if missing := set(cameras) - episode.images.keys():
            found = f"{episode.info.episode_id} without {', '.join(sorted(missing))}"
            raise Invalid("log", found, ", ".join(cameras), "name a log with all that it sees")
    states = seen_by(deployment, [reduced(episode, deployment) for episode in episodes]).states
    rows = torch.linspace(0, len(states) - 1, STATES).long()
    return enlarged(card, states.rows(rows))


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.fuse", description=__doc__)
    top.add_argument("run", type=Path, help="of sim2real.train, translator=rcan")
    top.add_argument("policy", type=Path, help="a run of policy.train, or a file of policy.start")
    top.add_argument("log", type=Path, help="of the cell")
    top.add_argument("out", type=Path, help="the ONNX file to write")
    a = top.parse_args(argv)
    try:
        parity = fuse(a.run, a.policy, a.log, a.out)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{a.out}: of {parity.states} states, {parity.same_actions:.0%} have torch's action; "
        f"values are {parity.value_error:.1g} apart at most"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

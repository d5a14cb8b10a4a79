"""The models that a learner offers while it learns: whole files in one directory, the newest few.

offers/00003000.onnx    after so many updates; for `Host.offer`, or policy.serve --offer
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from policy.contract import PolicyCard
from policy.contract.files import OFFERS, newest, sweep
from policy.evaluate import raw
from policy.export import Parity, export, traced_of
from policy.graph import Traced
from policy.learners.learner import Observations
from policy.networks.acting import PolicyModule


@dataclass(frozen=True)
class Offer:
    path: Path
    version: str  # as whoever serves it will name it
    parity: Parity


class Offers:
    def __init__(self, directory: Path, every: int, kept: int, at_once: bool = False) -> None:
        self.directory, self._every, self._kept = directory, every, kept
        directory.mkdir(parents=True, exist_ok=True)
        sweep(directory)
        latest = newest(directory, OFFERS)
        self._made = int(latest.stem) if latest else -at_once
        self._traced: Traced | None = None

    def due(self, updates: int) -> bool:
        return updates // self._every > self._made // self._every

    def make(
        self, policy: PolicyModule, card: PolicyCard, seen: Observations, updates: int
    ) -> Offer:
        """Raises `Invalid` where graph and torch disagree on what was `seen`; then the next one
        is due."""
        self._made = updates
        path = self.directory / f"{updates:08d}.onnx"
        if self._traced is None or not self._traced.for_any:
            self._traced = traced_of(policy, card)
        parity = export(path, policy, card, enlarged(card, seen), updates, self._traced)
        for old in sorted(self.directory.glob(OFFERS))[: -self._kept]:
            old.unlink()
        return Offer(path, hashlib.sha256(path.read_bytes()).hexdigest()[:12], parity)


def enlarged(card: PolicyCard, seen: Observations) -> Observations:
    """Raw frames of what a replay holds at the network's size: each of its pixels is several."""
    images = {}
    for step in card.preprocessing:
        frames, (height, width) = seen.images[step.image], step.crop[2:]
        rows = torch.arange(height) * frames.shape[2] // height
        columns = torch.arange(width) * frames.shape[3] // width
        images[step.image] = frames[:, :, rows][:, :, :, columns]
    return raw(card, replace(seen, images=images))

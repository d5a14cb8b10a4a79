"""RetinaGAN: a CycleGAN whose pictures show a frozen detector what it saw before.

    L = CycleGAN's + perception (P(x, G(x), F(G(x))) + P(y, F(y), G(F(y)))),    P of perception.py

Published: perception 0.1; a U-Net, spectral norms, Adam at 1e-4 with beta1 0.1, and no identity
loss. Here the rest is CycleGAN's, so that the two differ by the loss alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from policy.contract import Invalid, Strict
from policy.learners.precision import autocast

from .cyclegan import CycleConfig, CycleGan, Losses, Trip
from .detector import Dense
from .finders import read_dense
from .networks import NetworkConfig
from .perception import kept
from .translator import Metrics


@dataclass(frozen=True)
class RetinaConfig(Strict):
    detector: str = ""  # what sim2real.detection wrote, or see finders.py
    perception: float = 0.1


class RetinaGan(CycleGan):
    def __init__(
        self,
        networks: NetworkConfig,
        cycle: CycleConfig,
        config: RetinaConfig,
        size: int,
        device: torch.device,
    ) -> None:
        super().__init__(networks, cycle, size, device)
        if not config.detector:
            remedy = "train one: python -m sim2real.detection"
            raise Invalid("retinagan.detector", "none", "a detector's file", remedy)
        self._perception = config.perception
        self._detector = read_dense(config.detector, size, device)

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        return self._step(sim, cell, self._perceived)

    def _perceived(self, sim: Trip, cell: Trip) -> Losses:
        with autocast(self.device, self.game.precision):
            lost = kept(*self._seen(sim)) + kept(*self._seen(cell))
        return {"perception_loss": self._perception * lost}

    def _seen(self, trip: Trip) -> list[Dense]:
        """All three at once."""
        shown = torch.cat([trip.begun, trip.there, trip.back])
        seen = self._detector.dense(shown.contiguous(memory_format=torch.channels_last))
        pairs = zip(seen.logits.chunk(3), seen.boxes.chunk(3), strict=True)
        return [Dense(logits, boxes) for logits, boxes in pairs]

"""A plain GAN: pictures of the simulator painted so that a discriminator takes them for the cell's.
Nothing keeps what they show where it was: a baseline."""

from __future__ import annotations

import torch
from torch import Tensor

from policy.learners.precision import autocast

from .adversarial import Game, GameConfig, Side
from .networks import NetworkConfig
from .translator import Metrics


class Gan(Game):
    def __init__(
        self, networks: NetworkConfig, game: GameConfig, size: int, device: torch.device
    ) -> None:
        self.cell = Side(networks, game, size).to(device)
        super().__init__(game, device, cell=self.cell)

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        with autocast(self.device, self.game.precision):
            painted = self.cell.paint(sim)
            loss = self.cell.fooled(painted)
        self._paint_better([loss])
        with autocast(self.device, self.game.precision):
            apart = self.cell.told_apart(cell, painted)
        self._tell_better([apart])
        return {"fooling_loss": loss.item(), "told_apart.cell_loss": apart.item()}

    def translate(self, sim: Tensor) -> Tensor:
        return self.cell.translate(sim)

    def back(self, cell: Tensor) -> None:
        return None

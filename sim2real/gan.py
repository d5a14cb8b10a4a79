"""A plain GAN: pictures of the simulator painted so that a discriminator takes them for the cell's.
Nothing keeps what they show where it was: a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from policy.learners.precision import autocast
from policy.learners.state import Parts, flatten, restore, set_rate

from .adversarial import GameConfig, Side
from .networks import NetworkConfig
from .translator import Metrics


class Gan:
    def __init__(
        self, networks: NetworkConfig, game: GameConfig, size: int, device: torch.device
    ) -> None:
        self.game, self.device = game, device
        self.cell = Side(networks, game, size).to(device)
        self.painters, self.critics = (
            torch.optim.Adam(weights, game.learning_rate, (game.beta1, 0.999), fused=True)
            for weights in (
                self.cell.generator.parameters(),
                self.cell.discriminator.parameters(),
            )
        )

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        with autocast(self.device, self.game.precision):
            painted = self.cell.paint(sim)
            loss = self.cell.fooled(painted)
        self.painters.zero_grad()
        torch.autograd.backward(loss)
        self.painters.step()
        with autocast(self.device, self.game.precision):
            apart = self.cell.told_apart(cell, painted)
        self.critics.zero_grad()
        torch.autograd.backward(apart)
        self.critics.step()
        self.cell.average(self.game.average)
        return {"fooling_loss": loss.item(), "told_apart.cell_loss": apart.item()}

    def translate(self, sim: Tensor) -> Tensor:
        return self.cell.translate(sim)

    def back(self, cell: Tensor) -> None:
        return None

    def slow_down(self, share: float) -> None:
        set_rate(share * self.game.learning_rate, self.painters, self.critics)

    def state_dict(self) -> dict[str, Tensor]:
        return flatten(self._parts)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        restore(self._parts, state)

    @property
    def _parts(self) -> Parts:
        return {"cell": self.cell, "painters": self.painters, "critics": self.critics}

"""CycleGAN: there and back again gives the picture one began with.

    L = LSGAN(G) + LSGAN(F)
        + cycle (|F(G(x)) - x| + |G(F(y)) - y|) + identity (|G(y) - y| + |F(x) - x|)

G paints the simulator's pictures x as the cell's, F the cell's y as the simulator's. Published:
cycle 10, identity 5, one picture an update; discriminators' losses are halved, and remember.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from policy.contract import Strict
from policy.learners.precision import autocast

from .adversarial import Game, GameConfig, Side
from .networks import NetworkConfig
from .translator import Metrics


@dataclass(frozen=True)
class CycleConfig(Strict):
    """Weights of the losses, as published."""

    cycle: float = 10.0
    identity: float = 5.0
    game: GameConfig = field(default_factory=GameConfig)


@dataclass(frozen=True)
class Trip:
    """Pictures of one side, on the other side, and back."""

    begun: Tensor
    there: Tensor
    back: Tensor


Losses = dict[str, Tensor]
Keep = Callable[[Trip, Trip], Losses]  # what trips from the simulator and the cell are to keep


def no_more(sim: Trip, cell: Trip) -> Losses:
    return {}


class CycleGan(Game):
    def __init__(
        self, networks: NetworkConfig, config: CycleConfig, size: int, device: torch.device
    ) -> None:
        self.config = config
        # By what they paint: `cell` holds G and who judges it, `sim` F.
        self.cell, self.sim = (Side(networks, config.game, size).to(device) for _ in range(2))
        super().__init__(config.game, device, cell=self.cell, sim=self.sim)

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        return self._step(sim, cell, no_more)

    def _step(self, sim: Tensor, cell: Tensor, keep: Keep) -> Metrics:
        losses, of_sim, of_cell = self._painting(sim, cell)
        losses |= keep(of_sim, of_cell)
        self._paint_better(losses.values())
        with autocast(self.device, self.game.precision):
            apart = {
                "told_apart.cell_loss": self.cell.told_apart(cell, of_sim.there),
                "told_apart.sim_loss": self.sim.told_apart(sim, of_cell.there),
            }
        self._tell_better(apart.values())
        return {name: value.item() for name, value in {**losses, **apart}.items()}

    def _painting(self, sim: Tensor, cell: Tensor) -> tuple[Losses, Trip, Trip]:
        """Each generator paints once what it is to translate and what it is to leave alone."""
        rows = len(sim)
        with autocast(self.device, self.game.precision):
            to_cell, same_cell = self.cell.paint(torch.cat([sim, cell])).tensor_split([rows])
            to_sim, same_sim = self.sim.paint(torch.cat([cell, sim])).tensor_split([rows])
            again_sim, again_cell = self.sim.paint(to_cell), self.cell.paint(to_sim)
            fooled = self.cell.fooled(to_cell) + self.sim.fooled(to_sim)
        cycle = F.l1_loss(again_sim, sim) + F.l1_loss(again_cell, cell)
        identity = F.l1_loss(same_cell, cell) + F.l1_loss(same_sim, sim)
        losses = {
            "fooling_loss": fooled,
            "cycle_loss": self.config.cycle * cycle,
            "identity_loss": self.config.identity * identity,
        }
        return losses, Trip(sim, to_cell, again_sim), Trip(cell, to_sim, again_cell)

    def translate(self, sim: Tensor) -> Tensor:
        return self.cell.translate(sim)

    def back(self, cell: Tensor) -> Tensor:
        return self.sim.translate(cell)

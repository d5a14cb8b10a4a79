"""CycleGAN: there and back again gives the picture one began with.

    L = LSGAN(G) + LSGAN(F)
        + cycle (|F(G(x)) - x| + |G(F(y)) - y|) + identity (|G(y) - y| + |F(x) - x|)

G paints the simulator's pictures x as the cell's, F the cell's y as the simulator's. Published:
cycle 10, identity 5, one picture an update; discriminators' losses are halved, and remember.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from policy.contract import Strict
from policy.learners.precision import autocast
from policy.learners.state import Parts, flatten, restore, set_rate

from .adversarial import GameConfig, Side
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


class CycleGan:
    def __init__(
        self, networks: NetworkConfig, config: CycleConfig, size: int, device: torch.device
    ) -> None:
        self.config, self.game, self.device = config, config.game, device
        # By what they paint: `cell` holds G and who judges it, `sim` F.
        self.cell, self.sim = (Side(networks, self.game, size).to(device) for _ in range(2))
        self.painters, self.critics = (
            torch.optim.Adam(
                [*getattr(self.cell, part).parameters(), *getattr(self.sim, part).parameters()],
                self.game.learning_rate,
                (self.game.beta1, 0.999),
                fused=True,
            )
            for part in ("generator", "discriminator")
        )

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        return self._step(sim, cell, no_more)

    def _step(self, sim: Tensor, cell: Tensor, keep: Keep) -> Metrics:
        losses, of_sim, of_cell = self._painting(sim, cell)
        losses |= keep(of_sim, of_cell)
        self.painters.zero_grad()
        torch.autograd.backward(list(losses.values()))
        self.painters.step()
        with autocast(self.device, self.game.precision):
            apart = {
                "told_apart.cell_loss": self.cell.told_apart(cell, of_sim.there),
                "told_apart.sim_loss": self.sim.told_apart(sim, of_cell.there),
            }
        self.critics.zero_grad()
        torch.autograd.backward(list(apart.values()))
        self.critics.step()
        for side in (self.cell, self.sim):
            side.average(self.game.average)
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

    def slow_down(self, share: float) -> None:
        set_rate(share * self.game.learning_rate, self.painters, self.critics)

    def state_dict(self) -> dict[str, Tensor]:
        return flatten(self._parts)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        restore(self._parts, state)

    @property
    def _parts(self) -> Parts:
        return {
            "cell": self.cell,
            "sim": self.sim,
            "painters": self.painters,
            "critics": self.critics,
        }

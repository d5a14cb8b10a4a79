"""RCAN: whatever a picture looks like, what would the plain simulator show of it?

    L = fooling LSGAN(x) + picture MPSE(x, x*) + mask |m - m*|^2 + depth |d - d*|^2

From pairs of a simulator alone: a randomised picture goes in, the canonical picture x, a mask m and
the depth d come out. A cell's picture is then one more randomisation. What a discriminator judges
is x; m and d make sure that x is understood, and are left out where a policy looks at x.

MPSE is the mean square over pairs of pixels of how differently both are wrong: of a picture that
is too bright everywhere, it says nothing, and leaves that to the discriminator. Weights were not
published in what was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from policy.contract import Strict
from policy.learners.precision import autocast

from .adversarial import Game, GameConfig, Side
from .networks import NetworkConfig
from .pairs import CHANNELS, PICTURE, parts_of
from .translator import Metrics


@dataclass(frozen=True)
class RcanConfig(Strict):
    fooling: float = 1.0
    picture: float = 20.0
    mask: float = 10.0
    depth: float = 10.0
    game: GameConfig = field(default_factory=GameConfig)


def mean_pairwise_square(error: Tensor) -> Tensor:
    """Of each picture's (B, C, H, W) pixels and channels, each with each: twice its variance."""
    return 2 * error.flatten(1).var(dim=1).mean()


class Rcan(Game):
    def __init__(
        self, networks: NetworkConfig, config: RcanConfig, size: int, device: torch.device
    ) -> None:
        self.config = config
        networks = replace(networks, generator=networks.generator or "unet")
        self.canonical = Side(networks, config.game, size, CHANNELS).to(device)
        super().__init__(config.game, device, canonical=self.canonical)

    def update(self, sim: Tensor, truth: Tensor) -> Metrics:
        """On `Pairs`."""
        config = self.config
        with autocast(self.device, self.game.precision):
            picture, mask, depth = parts_of(self.canonical.paint(sim))
            fooled = self.canonical.fooled(picture)
        true_picture, true_mask, true_depth = parts_of(truth)
        known = true_depth.isfinite()
        off = torch.where(known, depth - true_depth, 0.0)
        losses = {
            "fooling_loss": config.fooling * fooled,
            "picture_loss": config.picture * mean_pairwise_square(picture - true_picture),
            "mask_loss": config.mask * (mask - true_mask).square().mean(),
            "depth_loss": config.depth * off.square().sum() / known.sum().clamp_min(1),
        }
        self._paint_better(losses.values())
        with autocast(self.device, self.game.precision):
            apart = self.canonical.told_apart(true_picture, picture)
        self._tell_better([apart])
        losses["told_apart.canonical_loss"] = apart
        return {name: value.item() for name, value in losses.items()}

    def understand(self, pictures: Tensor) -> Tensor:
        """All that is made of them, as `Truths.rows` has it."""
        return self.canonical.translate(pictures)

    def translate(self, sim: Tensor) -> Tensor:
        return self.understand(sim)[:, :PICTURE]

    def back(self, cell: Tensor) -> Tensor:
        """The cell's, too: both meet in the middle."""
        return self.translate(cell)

"""The cross-entropy method: the action that a critic rates highest, found by sampling.

One implementation for training, evaluation and the exported graph, so it is plain tensor code: no
Python branches on values, and the noise comes from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from policy.contract import Invalid, Strict

Score = Callable[[Tensor], Tensor]  # (B, N, A) in [-1, 1] -> (B, N)


@dataclass(frozen=True)
class CemConfig(Strict):
    """Published: 64 samples, 6 elites, 2 iterations."""

    samples: int = 64
    elites: int = 6
    iterations: int = 2
    sigma: float = 0.5  # at the start, of a range that is 2 wide
    chance: float = 0.2  # at the start, of each switch: most actions are moves and nothing else
    least_sigma: float = 0.02  # never certain, else further samples are wasted
    least_chance: float = 0.05  # of either side of a switch

    def __post_init__(self) -> None:
        if not 1 <= self.elites <= self.samples:
            raise Invalid("elites", self.elites, f"1 to {self.samples} (samples)", "keep fewer")
        if self.iterations < 1:
            raise Invalid("iterations", self.iterations, "1 or more", "2 is the default")


def search(
    score: Score,
    noise: Tensor,
    switch: Tensor,
    low: Tensor,
    high: Tensor,
    config: CemConfig,
) -> tuple[Tensor, Tensor]:
    """The best action (B, A) that was rated in any iteration, and its score (B,).

    noise: standard normal (B, iterations, samples, A). switch (A,): which entries take only their
    two ends. low, high (B, A): what is allowed now, within [-1, 1]; nothing outside it is rated,
    let alone returned. It is drawn to the edge rather than again: moves at full speed lie there,
    and they are often the best.
    """
    low, high = low[:, None], high[:, None]  # (B, 1, A)
    mean = ((low + high) / 2).where(~switch, config.chance)  # of a switch: the chance that it is on
    sigma = config.sigma * (high - low) / 2
    best = torch.where(switch, low, mean).squeeze(1)  # of a critic that rates nothing: stay, off
    best_score = noise.new_full((noise.shape[0],), -torch.inf)
    for k in range(config.iterations):
        uniform = 0.5 + 0.5 * torch.erf(noise[:, k] * 0.5**0.5)
        thrown = torch.where(uniform < mean, 1.0, -1.0)
        sampled = torch.where(switch, thrown, mean + sigma * noise[:, k])
        actions = torch.minimum(torch.maximum(sampled, low), high)
        scores = score(actions)
        values, order = scores.topk(config.elites, dim=1)
        elites = actions.gather(1, order[..., None].expand(-1, -1, actions.shape[2]))
        better = values[:, 0] > best_score
        best = torch.where(better[:, None], elites[:, 0], best)
        best_score = torch.where(better, values[:, 0], best_score)
        centre = elites.mean(dim=1, keepdim=True)
        chance = (0.5 + 0.5 * centre).clamp(config.least_chance, 1 - config.least_chance)
        spread = ((elites - centre) ** 2).mean(dim=1, keepdim=True).sqrt()
        mean = torch.where(switch, chance, centre)
        sigma = spread.clamp(min=config.least_sigma)
    return best, best_score

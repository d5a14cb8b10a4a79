"""A small network that learns to tell the simulator's pictures from the cell's. On episodes that it
has not seen, half of its answers are right where there is no gap; and where it looked tells what
gives the simulator away."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.statistics import Rate

from .data import Domain, Pictures, as_tensor

UPDATES, BATCH, RATE = 150, 32, 1e-3
LOOKS, HAZE = 8, 0.1  # saliency is the mean over so many noisy looks


@dataclass(frozen=True)
class Telling:
    """Which is which, and how well that could be told of held-out pictures: of both sides alike."""

    network: nn.Module
    rate: Rate


def tell_apart(sim: Domain, cell: Domain, held_sim: Domain, held_cell: Domain) -> Telling:
    """Pictures of both, by chance alone: states are as they come."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _network()
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        sides = [torch.from_numpy(one.pictures) for one in (sim, cell)]
        wanted = torch.tensor([0.0, 1.0]).repeat_interleave(BATCH // 2)
        for _ in range(UPDATES):
            chosen = [side[torch.randint(len(side), (BATCH // 2,))].numpy() for side in sides]
            pictures = torch.cat([as_tensor(part) for part in chosen])
            loss = F.binary_cross_entropy_with_logits(network(pictures)[:, 0], wanted)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    count = min(len(held_sim), len(held_cell))
    with torch.inference_mode():
        on_sim = network(as_tensor(held_sim.some(count))) < 0
        on_cell = network(as_tensor(held_cell.some(count))) > 0
    return Telling(network, Rate(int(on_sim.sum() + on_cell.sum()), 2 * count))


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1))


def saliency(network: nn.Module, pictures: Pictures) -> Tensor:
    """(N, H, W), 0 to 1: how much each pixel counts, in the mean over noisy looks."""
    clear, found = as_tensor(pictures), torch.zeros(pictures.shape[:3])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(LOOKS):
            hazy = (clear + HAZE * torch.randn_like(clear)).requires_grad_()
            [slope] = torch.autograd.grad(network(hazy).sum(), hazy)
            found += slope.abs().sum(1)
    found = F.avg_pool2d(found[:, None], 5, 1, 2)[:, 0]
    return found / found.amax((1, 2), keepdim=True).clamp_min(1e-12)

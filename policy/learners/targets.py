"""Target networks: slow copies of what is being learnt."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def frozen_copy(network: N) -> N:
    target = copy.deepcopy(network)
    return target.requires_grad_(False).eval()


@torch.no_grad()
def polyak(target: nn.Module, source: nn.Module, decay: float) -> None:
    """target <- decay x target + (1 - decay) x source; statistics of batch norm are copied."""
    ours: list[torch.Tensor] = list(target.parameters())
    theirs: list[torch.Tensor] = list(source.parameters())
    torch._foreach_lerp_(ours, theirs, 1 - decay)
    for mine, other in zip(target.buffers(), source.buffers(), strict=True):
        mine.copy_(other)

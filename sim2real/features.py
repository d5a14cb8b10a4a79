"""What pictures are compared by. No weights of ImageNet come along, so each number names its
features, and holds only beside numbers of the same.

`random convolutions` know nothing of any task: edges and blobs of several sizes, in colour.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from .data import Pictures, as_tensor

Features = npt.NDArray[np.float64]
RANDOM = "random convolutions"
WIDTHS = (3, 16, 32, 32)
SEED = 20  # the same filters whoever compares


def random_convolutions(pictures: Pictures) -> Features:
    """(N, H, W, 3) -> (N, 64): how strongly each filter answers, and how unevenly."""
    network = _random_network()
    found = []
    with torch.inference_mode():
        for k in range(0, len(pictures), 64):
            maps = network(as_tensor(pictures[k : k + 64])).flatten(2)
            found.append(torch.cat([maps.mean(2), maps.std(2)], dim=1))
    return torch.cat(found).double().numpy()


def _random_network() -> nn.Sequential:
    chance = torch.Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(WIDTHS):
        layer = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        nn.init.kaiming_normal_(layer.weight, a=0.2, generator=chance)
        layers += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)

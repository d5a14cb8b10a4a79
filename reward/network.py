"""The network of the learned classifier: the bin before, after, and the difference.

SERL's classifiers look at one picture through a frozen ResNet. A drop is seen in a pair, and a cell
has a thousand pairs at most: so this is small, and trained whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (32, 48, 64, 64)
HIDDEN = 64


class Crop(nn.Module):
    """The bin's part of whole frames, reduced by a whole factor: uint8 (rows, height, width, RGB)
    to float from -0.5 to 0.5 (rows, RGB, height, width)."""

    def __init__(self, box: tuple[int, int, int, int], factor: int) -> None:
        super().__init__()
        self.box, self.factor = box, factor  # top, left, bottom, right

    def forward(self, frames: Tensor) -> Tensor:
        top, left, bottom, right = self.box
        part = frames[:, top:bottom, left:right].permute(0, 3, 1, 2).float()
        return nn.functional.avg_pool2d(part, self.factor) / 255 - 0.5


class PairNetwork(nn.Module):
    """Reduced pictures before and after to the logit of a success."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 9
        for number, width in enumerate(WIDTHS):
            size, stride = (5, 2) if number == 0 else (3, 1 + number % 2)
            layers += [
                nn.Conv2d(channels, width, size, stride, size // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        self.encoder = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * channels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1)
        )

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        seen = self.encoder(torch.cat([before, after, after - before], dim=1))
        # What appeared is small: the largest response tells of it, the mean of the light.
        told = torch.cat([seen.amax(dim=(2, 3)), seen.mean(dim=(2, 3))], dim=1)
        logit: Tensor = self.head(told)[:, 0]
        return logit


class Deployed(nn.Module):
    """From whole frames to the probability, calibrated."""

    def __init__(self, network: PairNetwork, crop: Crop, temperature: float, prior: float) -> None:
        super().__init__()
        self.network, self.crop = network, crop
        self.temperature, self.prior = temperature, prior

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        logit = self.network(self.crop(before), self.crop(after))
        return torch.sigmoid(logit / self.temperature + self.prior)

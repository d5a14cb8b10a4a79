"""Grasping44's small sibling, for pictures of 64 to 128 px and two cores.

It merges later still: what is seen becomes a vector before actions are added to it, so that
weighing 64 actions costs less than looking once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Norm, Norm1d, SumOfParts, conv, dense


class Small(nn.Module):
    def __init__(
        self,
        channels: int,
        size: int,
        state: Sequence[int],
        action: Sequence[int],
        norm: Norm = "group",
        width: int = 32,
        hidden: int = 256,
    ) -> None:
        super().__init__()
        self.features = hidden
        halvings = 3 if size < 96 else 4  # 64 -> 8 x 8, 96 -> 6 x 6, 128 -> 8 x 8
        layers = [conv(channels, width, 5, 2, norm)]
        for k in range(1, halvings):
            layers += [conv(width * min(k, 2), 2 * width, 3, 2, norm)]
            layers += [conv(2 * width, 2 * width, 3, 1, norm)]
        self.tower = nn.Sequential(*layers, conv(2 * width, width, 1, 1, norm))
        with torch.no_grad():
            flat = self.tower(torch.zeros(1, channels, size, size)).numel()
        one: Norm = "none" if norm == "none" else "batch" if norm == "batch" else "layer"
        self.seen = nn.Sequential(nn.Linear(flat, hidden), Norm1d(one, hidden))
        self.state = SumOfParts(state, hidden) if state else None
        self.action = SumOfParts(action, hidden)
        self.merge_norm = Norm1d(one, hidden)
        self.fc = nn.Sequential(dense(hidden, hidden, one), dense(hidden, hidden, one))

    def encode(self, images: Tensor, state: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] and (B, S) -> (B, hidden)."""
        seen: Tensor = self.seen(self.tower(images).flatten(1))
        return seen if self.state is None else seen + self.state(state)

    def forward(self, encoded: Tensor, actions: Tensor) -> Tensor:
        """(B, N, A) -> (B, N, hidden)."""
        merged = F.relu(self.merge_norm(encoded[:, None] + self.action(actions)))
        features: Tensor = self.fc(merged)
        return features

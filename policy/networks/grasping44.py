"""Grasping44, QT-Opt's critic, layer by layer: 1,242,817 parameters at 472 px."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Invalid

from .layers import Norm, Norm1d, conv, dense, norm2d

# What the published network's action block is fed: world_vector, vertical_rotation, close_gripper,
# open_gripper, terminate_episode; gripper_closed, height_to_bottom.
PUBLISHED_ACTION = (3, 2, 1, 1, 1)
PUBLISHED_STATE = (1, 1)
SMALLEST = 217  # px; below it the last three convolutions have nothing left to see


class Grasping44(nn.Module):
    """State and action parts are embedded alike and added to the map behind the second pooling;
    all before that is computed once a state."""

    features = 64

    def __init__(
        self,
        channels: int,
        size: int,
        state: Sequence[int] = PUBLISHED_STATE,
        action: Sequence[int] = PUBLISHED_ACTION,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        if size < SMALLEST:
            wanted = f"{SMALLEST} px or more"
            raise Invalid("size", size, wanted, "take network: small, or larger pictures")
        # The two norms that stand apart from a layer have no scale, as in the published code.
        self.stem = nn.Conv2d(channels, 64, 6, stride=2)
        self.stem_norm = _without_scale(norm2d(norm, 64))
        self.tower = nn.Sequential(*(conv(64, 64, 5, norm=norm) for _ in range(6)))
        self.state = SumOfParts(state, 256) if state else None
        self.action = SumOfParts(action, 256)
        self.merge_norm = _without_scale(Norm1d(norm, 256))
        self.merge = dense(256, 64, norm)
        self.middle = nn.Sequential(*(conv(64, 64, 3, norm=norm) for _ in range(6)))
        self.last = nn.Sequential(*(conv(64, 64, 3, norm=norm, pad=False) for _ in range(3)))
        left = _left(size, strides=(2, 3, 3, 2)) - 2 * len(self.last)
        self.fc = nn.Sequential(dense(64 * left**2, 64, norm), dense(64, 64, norm))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.01, a=-0.02, b=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def encode(self, images: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) in [0, 1] and (B, S) -> the map behind pool2, and the state's embedding."""
        x = F.relu(self.stem_norm(self.stem(_same(images, 6, 2))))
        x = F.max_pool2d(_same(x, 3, 3, -torch.inf), 3, 3)
        x = F.max_pool2d(_same(self.tower(x), 3, 3, -torch.inf), 3, 3)
        return x, state.new_zeros(state.shape[0], 256) if self.state is None else self.state(state)

    def forward(self, encoded: tuple[Tensor, Tensor], actions: Tensor) -> Tensor:
        """(B, N, A) -> (B, N, 64)."""
        seen, state = encoded
        batch, count, _ = actions.shape
        context = F.relu(self.merge_norm(state[:, None] + self.action(actions)))
        merged = seen[:, None] + self.merge(context)[..., None, None]
        features: Tensor = self.fc(self._behind(merged.flatten(0, 1)))
        return features.view(batch, count, self.features)

    def _behind(self, merged: Tensor) -> Tensor:
        x = F.max_pool2d(_same(self.middle(merged), 2, 2, -torch.inf), 2, 2)
        flat: Tensor = self.last(x).flatten(1)
        return flat


class SumOfParts(nn.Module):
    """Each part of a vector gets a linear layer of its own; their sum is the embedding."""

    def __init__(self, parts: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.sizes = list(parts)
        self.parts = nn.ModuleList(nn.Linear(size, outputs) for size in parts)

    def forward(self, x: Tensor) -> Tensor:
        pieces = torch.split(x, self.sizes, dim=-1)
        embedded = [part(piece) for part, piece in zip(self.parts, pieces, strict=True)]
        total: Tensor = sum(embedded[1:], embedded[0])
        return total


def _left(size: int, strides: Sequence[int]) -> int:
    """Pixels along a side behind layers with SAME padding."""
    for stride in strides:
        size = -(-size // stride)
    return size


def _same(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
    """TensorFlow's SAME padding, which puts an odd pixel to the right and below."""
    height, width = (max((-(-s // stride) - 1) * stride + kernel - s, 0) for s in x.shape[-2:])
    return F.pad(
        x, (width // 2, width - width // 2, height // 2, height - height // 2), value=value
    )


def _without_scale(norm: nn.Module) -> nn.Module:
    for module in norm.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            module.register_parameter("weight", None)
    return norm

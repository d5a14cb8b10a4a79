"""Layers that several networks use."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["batch", "group", "layer", "none"]
GROUPS = 8


def norm2d(kind: Norm, channels: int) -> nn.Module:
    """Over (B, C, H, W). Group and layer norm do not mix the states of a batch, and so behave alike
    in training, in targets and on the robot; batch norm is as published."""
    if kind == "batch":
        return nn.BatchNorm2d(channels, eps=1e-3, momentum=3e-4)
    if kind == "group":
        return nn.GroupNorm(GROUPS, channels)
    if kind == "layer":
        return nn.GroupNorm(1, channels)
    return nn.Identity()


class Norm1d(nn.Module):
    """Over the last of any number of dimensions."""

    def __init__(self, kind: Norm, size: int) -> None:
        super().__init__()
        self.norm: nn.Module
        if kind == "batch":
            self.norm = nn.BatchNorm1d(size, eps=1e-3, momentum=3e-4)
        else:
            self.norm = nn.Identity() if kind == "none" else LayerNorm(size)
        self._rows = kind == "batch"

    def forward(self, x: Tensor) -> Tensor:
        if not self._rows:
            result: Tensor = self.norm(x)
            return result
        rows: Tensor = self.norm(x.flatten(0, -2))
        return rows.view(x.shape)


class LayerNorm(nn.LayerNorm):
    """In the precision of what comes in: autocast would widen it, and half of what a search over
    thousands of actions costs is moving such numbers. It sums in full precision anyway."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            scale = None if self.weight is None else self.weight.to(x.dtype)
            return F.layer_norm(x, self.normalized_shape, scale, self.bias.to(x.dtype), self.eps)


def conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, norm: Norm = "group", pad: bool = True
) -> nn.Sequential:
    """Convolution, norm, ReLU. `pad` keeps the size (over the stride)."""
    padding = kernel // 2 if pad else 0
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=norm == "none"),
        norm2d(norm, outputs),
        nn.ReLU(inplace=True),
    )


def dense(inputs: int, outputs: int, norm: Norm = "layer") -> nn.Sequential:
    """Linear, norm, ReLU."""
    return nn.Sequential(
        nn.Linear(inputs, outputs, bias=norm == "none"), Norm1d(norm, outputs), nn.ReLU()
    )

"""Camera frame -> network input, as a layer: crop, resize, scale. It is part of the exported graph,
so that what is fed to a policy is the raw frame."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from policy.contract import Preprocessing

Interpolation = Literal["area", "bilinear", "nearest"]


class Reduce(nn.Module):
    """uint8 (B, H, W, C) -> float (B, C, h, w). Rows first, and of those only the ones that count,
    still as bytes: of a 480 px square to 64 px, a third of the time of a dense product."""

    rows: Tensor
    row_weights: Tensor
    columns: Tensor

    def __init__(self, step: Preprocessing) -> None:
        super().__init__()
        top, left, height, width = step.crop
        rows, weights = taps(height, step.size[0], step.interpolation)
        across = taps(width, step.size[1], step.interpolation)
        dense = np.zeros((width, step.size[1]), np.float32)
        np.add.at(dense, (across[0], np.arange(step.size[1])[:, None]), across[1])
        self.register_buffer("rows", torch.from_numpy(top + rows.ravel()))
        self.register_buffer("row_weights", torch.from_numpy(weights[:, None]))
        self.register_buffer("columns", torch.from_numpy(dense * step.scale))
        self._left, self._width, self._size = left, width, step.size
        self._taps, self._offset = weights.shape[1], step.offset

    def forward(self, frame: Tensor) -> Tensor:
        cropped = frame[:, :, self._left : self._left + self._width]
        channels = cropped.shape[3]
        flat = cropped.reshape(-1, cropped.shape[1], self._width * channels)
        picked = flat.index_select(1, self.rows)
        picked = picked.view(-1, self._size[0], self._taps, self._width * channels).float()
        reduced = (self.row_weights @ picked).view(-1, self._size[0], self._width, channels)
        return reduced.permute(0, 3, 1, 2) @ self.columns + self._offset


def taps(
    source: int, target: int, interpolation: Interpolation
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.int64]],
    np.ndarray[tuple[int, int], np.dtype[np.float32]],
]:
    """For each of `target` pixels along an axis, the source pixels that make it up and their
    weights, as OpenCV's INTER_AREA, INTER_LINEAR and INTER_NEAREST_EXACT have them. Enlarging by
    area is bilinear."""
    ratio = source / target
    if interpolation == "nearest":
        index = np.floor((np.arange(target) + 0.5) * ratio)[:, None].astype(np.int64)
        return index, np.ones((target, 1), np.float32)
    if interpolation == "area" and ratio >= 1:
        low = np.arange(target) * ratio
        count = max(math.ceil(low[k] + ratio - 1e-9) - math.floor(low[k]) for k in range(target))
        index = np.floor(low)[:, None].astype(np.int64) + np.arange(count)
        covered = np.minimum(index + 1, (low + ratio)[:, None]) - np.maximum(index, low[:, None])
        weight = np.clip(covered, 0, None) / ratio
    else:
        centre = (np.arange(target) + 0.5) * ratio - 0.5
        index = np.floor(centre)[:, None].astype(np.int64) + np.arange(2)
        part = centre - np.floor(centre)
        weight = np.stack([1 - part, part], axis=1)
    return index.clip(0, source - 1), weight.astype(np.float32)

"""Pictures on their way from the replay into a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from .learner import Observations


def channels(images: Mapping[str, Tensor]) -> Tensor:
    """uint8 (B, stack, H, W, C) by camera -> uint8 (B, cameras x stack x C, H, W), laid out
    channels last, as the frames are."""
    frames = [frame for pictures in images.values() for frame in pictures.unbind(1)]
    together = frames[0] if len(frames) == 1 else torch.cat(frames, dim=-1)
    return together.permute(0, 3, 1, 2)


def stacked(images: Mapping[str, Tensor]) -> Tensor:
    """`channels`, as floats in [0, 1]."""
    return channels(images).float().div_(255)


def shifted(seen: Observations, pad: int) -> Observations:
    """DrQ's augmentation: each state's pictures, all of its stack alike, moved by up to `pad`
    pixels either way; what moves in repeats the edge. Whole pixels: nothing is interpolated."""
    return replace(seen, images={name: shift(x, pad) for name, x in seen.images.items()})


def shift(images: Tensor, pad: int) -> Tensor:
    """uint8 (B, stack, H, W, C). One row of pixels is copied at a time, from where it begins: its
    neighbours in memory follow by themselves, which no gather by pixel comes near."""
    batch, stack, height, width, channels = images.shape
    by = torch.randint(-pad, pad + 1, (2, batch, 1), device=images.device)
    left, right = images[..., :1, :], images[..., -1:, :]
    edges = [side.expand(-1, -1, -1, pad, -1) for side in (left, right)]
    wide = torch.cat([edges[0], images, edges[1]], dim=3)
    rows = (torch.arange(height, device=images.device) + by[0]).clamp(0, height - 1)
    frame = torch.arange(batch * stack, device=images.device).view(batch, stack, 1)
    begin = (frame * height + rows[:, None]) * (width + 2 * pad) + pad + by[1][:, None]
    runs = wide.flatten().unfold(0, width * channels, channels)  # a row's worth from each pixel on
    return runs.index_select(0, begin.flatten()).view(images.shape)

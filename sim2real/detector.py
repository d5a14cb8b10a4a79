"""A small single-shot detector, for pictures of 64 to 128 px: at every second pixel one square
anchor, for each class how likely it is there, and how the box differs from the anchor.

    box = anchor's place + side (dx, dy), side (exp w, exp h)

Learnt by the focal loss and a Huber loss, as RetinaNet. Its outputs before any threshold are what
a translator's perception is held against.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Invalid, Strict
from policy.networks.layers import conv

from .boxes import CLASSES, Found, best_alone

STRIDE, SIDE = 2, 8.0  # px: between anchors, and of one
ALPHA, GAMMA, BETA = 0.25, 2.0, 0.1  # of focal and Huber loss, as published
RARE = 0.01  # at first, how likely anything is anywhere
FAINT, TWICE = 0.05, 0.3  # less likely, or overlapping more with what is likelier, is left out


@dataclass(frozen=True)
class DetectorConfig(Strict):
    size: int = 64  # px
    width: int = 32  # channels

    def __post_init__(self) -> None:
        if self.size % 16 or self.size < 16:
            wanted = "a multiple of 16"
            raise Invalid("size", self.size, wanted, "it is halved four times")


@dataclass(frozen=True)
class Dense:
    """By anchor: logits (B, A, K) and boxes relative to it (B, A, 4)."""

    logits: Tensor
    boxes: Tensor


@dataclass(frozen=True)
class Targets:
    """By anchor: 1 or 0 (B, A, K), and the box (B, A, 4); NaN where nothing is known."""

    classes: Tensor
    boxes: Tensor

    def mirrored(self) -> Targets:
        """Of the picture with left and right exchanged."""
        side = math.isqrt(self.boxes.shape[1])
        classes, boxes = (
            part.view(len(part), side, side, -1).flip(2).flatten(1, 2)
            for part in (self.classes, self.boxes)
        )
        return Targets(classes, boxes * boxes.new_tensor([-1, 1, 1, 1]))


class Detector(nn.Module):
    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.stem = nn.Sequential(conv(3, width, 3, 2), conv(width, width, 3))
        widths = [width, 2 * width, 2 * width, 2 * width]
        self.down = nn.ModuleList(
            nn.Sequential(conv(inputs, outputs, 3, 2), conv(outputs, outputs, 3))
            for inputs, outputs in itertools.pairwise(widths)
        )
        self.across = nn.ModuleList(nn.Conv2d(inputs, width, 1) for inputs in widths)
        self.head = nn.Sequential(conv(width, width, 3), conv(width, width, 3))
        self.classes = nn.Conv2d(width, len(CLASSES), 3, padding=1)
        self.boxes = nn.Conv2d(width, 4, 3, padding=1)
        nn.init.constant_(self.classes.bias, -math.log(1 / RARE - 1))  # type: ignore[arg-type]
        self.register_buffer("anchors", anchors(config.size), persistent=False)
        self.anchors: Tensor

    def forward(self, pictures: Tensor) -> Dense:
        """(B, 3, H, W) in [-1, 1]."""
        levels = [self.stem(pictures)]
        for down in self.down:
            levels.append(down(levels[-1]))
        merged = self.across[-1](levels[-1])
        for level, across in zip(levels[-2::-1], list(self.across)[-2::-1], strict=True):
            merged = F.interpolate(merged, scale_factor=2.0) + across(level)
        seen = self.head(F.relu(merged))
        logits, boxes = (part(seen).flatten(2).mT for part in (self.classes, self.boxes))
        return Dense(logits.float(), boxes.float())

    def dense(self, pictures: Tensor) -> Dense:
        found: Dense = self(pictures)
        return found

    @torch.no_grad()
    def find(self, pictures: Tensor) -> list[Found]:
        dense = self.dense(pictures)
        likely, classes = dense.logits.sigmoid().max(2)
        boxes = absolute(dense.boxes, self.anchors).clamp(0, self.config.size)
        everything = (part.cpu().numpy() for part in (boxes, classes, likely))
        return [
            best_alone(Found(box[p >= FAINT].astype(float), kind[p >= FAINT], p[p >= FAINT]), TWICE)
            for box, kind, p in zip(*everything, strict=True)
        ]


def anchors(size: int) -> Tensor:
    """Their centres (A, 2), row by row."""
    line = torch.arange(STRIDE / 2, size, STRIDE)
    down, right = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([right, down], dim=-1).view(-1, 2)


def relative(boxes: Tensor, places: Tensor) -> Tensor:
    """Left, top, right, bottom (..., 4) as seen from anchors at `places` (..., 2)."""
    low, high = boxes[..., :2], boxes[..., 2:]
    middle = ((low + high) / 2 - places) / SIDE
    return torch.cat([middle, ((high - low) / SIDE).log().expand_as(middle)], dim=-1)


def absolute(boxes: Tensor, places: Tensor) -> Tensor:
    middle, half = places + SIDE * boxes[..., :2], SIDE / 2 * boxes[..., 2:].exp()
    return torch.cat([middle - half, middle + half], dim=-1)


def targets(found: Found, places: Tensor) -> Targets:
    """What a detector is to say of a picture in which this is all there is (without the batch
    axis): the anchors in a box's middle half are its, of a large one those near its middle, and
    always the nearest; where boxes lie over each other, the smallest one's."""
    classes = torch.zeros(len(places), len(CLASSES))
    boxes = torch.full((len(places), 4), torch.nan)
    areas = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)
    for k in np.argsort(-areas, kind="stable"):
        box = torch.from_numpy(found.boxes[k]).float()
        apart = (places - (box[:2] + box[2:]) / 2).abs()
        its = (apart <= ((box[2:] - box[:2]) / 4).clamp_max(SIDE / 2)).all(1)
        its[apart.sum(1).argmin()] = True
        classes[its] = 0.0
        classes[its, found.classes[k]] = 1.0
        boxes[its] = relative(box, places[its])
    return Targets(classes, boxes)


def loss(found: Dense, wanted: Targets) -> Tensor:
    """By the number of anchors that have something."""
    known = ~wanted.classes.isnan()
    aim = wanted.classes.nan_to_num()
    rough = F.binary_cross_entropy_with_logits(found.logits, aim, reduction="none")
    chance = found.logits.sigmoid()
    wrong = (chance - aim).abs()
    weight = (ALPHA * aim + (1 - ALPHA) * (1 - aim)) * wrong**GAMMA
    placed = ~wanted.boxes.isnan()
    off = F.smooth_l1_loss(found.boxes[placed], wanted.boxes[placed], reduction="sum", beta=BETA)
    total: Tensor = (weight * rough)[known].sum() + off
    return total / (aim == 1).sum().clamp_min(1)

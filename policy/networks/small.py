"""Grasping44's small sibling, for pictures of 64 to 128 px and two cores.

It merges later still: all that is seen becomes a vector before actions are added to it, so that
weighing 64 actions costs less than looking once. Where the hand is, there it looks more closely:
the robot's own state asks the map what lies at some places, by attention.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Norm, Norm1d, conv, dense

LOOKS, HEADS = 4, 4  # questions to the map, and how many places each may combine
AIMED = 16  # channels of what is looked up at the places that actions lead to
SUMMARY = 8  # px, about, a side of the map that is summarised


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
        aims: int = 0,
    ) -> None:
        super().__init__()
        one: Norm = "layer" if norm in ("group", "layer") else norm
        deep = 2 * width
        self.tower = nn.Sequential(
            conv(channels, width, 7, 4, norm),
            conv(width, deep, 3, 1, norm),
        )
        reduced = -(-size // 4)
        stride = max(round(reduced / SUMMARY), 1)
        self.summary = conv(deep, width, 3, stride, norm)
        seen = width * (-(-reduced // stride)) ** 2
        self.seen = nn.Sequential(nn.Linear(seen, hidden), Norm1d(one, hidden))
        self.state = nn.Linear(sum(state), hidden) if state else None
        # The map is keys and values at once; places are told apart by what is added to the keys.
        self.places = nn.Parameter(0.02 * torch.randn(HEADS, deep // HEADS, reduced**2))
        self.query = nn.Linear(hidden, LOOKS * deep)
        self.looked = nn.Sequential(nn.Linear(LOOKS * deep, hidden), Norm1d(one, hidden))
        self.action = nn.Linear(sum(action), hidden)
        self.aimed = conv(deep, AIMED, 1, 1, norm) if aims else None
        self.around = nn.Linear(AIMED * aims, hidden) if aims else None
        self.merge_norm = Norm1d(one, hidden)
        self.features = hidden // 2
        self.fc = nn.Sequential(
            dense(hidden, self.features, one), dense(self.features, self.features, one)
        )

    def encode(self, images: Tensor, state: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, C, H, W) in [0, 1] and (B, S) -> (B, hidden), and what is aimed in."""
        mapped = self.tower(images)
        summary: Tensor = self.seen(self.summary(mapped).flatten(1))
        if self.state is not None:
            summary = summary + self.state(state)
        whole = summary + self._look(F.relu(summary), mapped.flatten(2))
        return whole, self.aimed(mapped) if self.aimed is not None else None

    def _look(self, summary: Tensor, mapped: Tensor) -> Tensor:
        """What the map's places (B, d, P) tell about a state's questions."""
        rows, deep, places = mapped.shape
        query = self.query(summary).view(rows, LOOKS, HEADS, deep // HEADS).transpose(1, 2)
        keys = mapped.reshape(rows, HEADS, deep // HEADS, places)
        rated = query @ keys + query @ self.places.to(query.dtype)
        weight = (rated * keys.shape[2] ** -0.5).softmax(-1).to(keys.dtype)
        found = (weight @ keys.transpose(2, 3)).transpose(1, 2).flatten(1)
        looked: Tensor = self.looked(found)
        return looked

    def forward(
        self, encoded: tuple[Tensor, Tensor | None], actions: Tensor, aims: Tensor | None = None
    ) -> Tensor:
        """(B, N, A), and where each of them leads to (B, N, aims, 2) -> (B, N, features)."""
        whole, mapped = encoded
        merged = whole[:, None] + self.action(actions)
        if self.around is not None and mapped is not None and aims is not None:
            with torch.autocast(aims.device.type, enabled=False):
                found = F.grid_sample(mapped.float(), aims.float(), align_corners=False)
            merged = merged + self.around(found.permute(0, 2, 3, 1).flatten(2))
        features: Tensor = self.fc(F.relu(self.merge_norm(merged)))
        return features

"""Between the contract's units and a network's: metres and radians here, [-1, 1] there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from policy.contract import Entry, Interface

UNBOUNDED = 1e6  # a range wider than this tells nothing


class Scaling(nn.Module):
    low: Tensor
    high: Tensor
    switch: Tensor
    state_middle: Tensor
    state_half: Tensor

    def __init__(self, interface: Interface) -> None:
        super().__init__()
        action = interface.action
        self.register_buffer("low", torch.tensor(action.low), persistent=False)
        self.register_buffer("high", torch.tensor(action.high), persistent=False)
        switch = torch.tensor([entry.discrete for entry in action.entries])
        self.register_buffer("switch", switch, persistent=False)
        middle, half = _middle_and_half(interface.observation.proprio)
        self.register_buffer("state_middle", middle, persistent=False)
        self.register_buffer("state_half", half, persistent=False)
        self.window = interface.observation.action_window
        self.state_size = len(middle) + self.window * len(action)

    def action(self, action: Tensor) -> Tensor:
        """(..., A) -> [-1, 1]."""
        return (2 * action - self.low - self.high) / (self.high - self.low)

    def unscaled(self, scaled: Tensor) -> Tensor:
        """[-1, 1] -> the contract's units."""
        return ((self.high - self.low) * scaled + self.low + self.high) / 2

    def proprio(self, proprio: Tensor) -> Tensor:
        """(B, P) -> [-1, 1]."""
        return (proprio - self.state_middle) / self.state_half

    def state(self, proprio: Tensor, past_actions: Tensor) -> Tensor:
        """(B, P) and (B, window, A) -> (B, S). Before an episode's first action the window holds
        zeros: nothing was sent."""
        return torch.cat([self.proprio(proprio), self.action(past_actions).flatten(1)], dim=1)


def _middle_and_half(entries: Sequence[Entry]) -> tuple[Tensor, Tensor]:
    ends = [(e.low, e.high) if e.high - e.low < UNBOUNDED else (-1.0, 1.0) for e in entries]
    low, high = torch.tensor(ends, dtype=torch.float32).reshape(-1, 2).unbind(1)
    return (low + high) / 2, (high - low) / 2

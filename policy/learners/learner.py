"""What every learner offers, and what it is given to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy.contract import Interface, View
from policy.experience.replay.sampler import Batch, Draw
from policy.networks.acting import PolicyModule

if TYPE_CHECKING:
    from typing_extensions import Self

Metrics = dict[str, float]
FloatArray = npt.NDArray[np.float32]
# `Batch.source` of what others did, and of the learner's own episodes; a run may have more kinds.
LOGGED, OWN = 0, 1


@dataclass(frozen=True)
class Observations:
    """B states as they come from the replay or from environments."""

    images: Mapping[str, Tensor]  # uint8 (B, stack, H, W, C)
    proprio: Tensor  # float32 (B, P)
    past_actions: Tensor  # float32 (B, window, A), oldest first

    @classmethod
    def of(cls, batch: Batch) -> Self:
        return cls(batch.images, batch.proprio, batch.past_actions)

    @classmethod
    def after(cls, batch: Batch) -> Self:
        return cls(batch.next_images, batch.next_proprio, batch.next_past_actions)

    def to(self, device: torch.device | str) -> Observations:
        images = {name: frames.to(device) for name, frames in self.images.items()}
        return Observations(images, self.proprio.to(device), self.past_actions.to(device))

    def rows(self, chosen: Tensor) -> Observations:
        images = {name: frames[chosen] for name, frames in self.images.items()}
        return Observations(images, self.proprio[chosen], self.past_actions[chosen])

    def __len__(self) -> int:
        return len(self.proprio)


class Learner(Protocol):
    """`interface` is what its policy sees and does, at the size it learns from; `draw` is how it
    wants its batches. `state_dict` holds tensors only, and all that a resumed run needs."""

    interface: Interface
    draw: Draw

    def act(self, seen: Observations, explore: bool) -> tuple[FloatArray, FloatArray]:
        """Actions (B, A) in the contract's units, and what they are thought to be worth (B,)."""
        ...

    def update(self, batch: Batch) -> Metrics:
        """One gradient step."""
        ...

    def slow_down(self, share: float) -> None:
        """From now on, steps are this share of the configured learning rate."""
        ...

    def mount(self, views: Sequence[View]) -> None:
        """From now on its cameras are where these have them."""
        ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...

    def export(self) -> PolicyModule:
        """The policy by itself, for policy/export.py to put behind the preprocessing."""
        ...

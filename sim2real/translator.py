"""What every translator offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from torch import Tensor

from .data import Pictures, as_pictures, as_tensor

Metrics = dict[str, float]


class Translator(Protocol):
    """Pictures are (B, 3, H, W) in [-1, 1]."""

    def update(self, sim: Tensor, cell: Tensor) -> Metrics:
        """One step, on pictures of both sides that nothing pairs. What ends in `loss` must stay
        finite; `told_apart.*` are the discriminators'."""
        ...

    def translate(self, sim: Tensor) -> Tensor:
        """To what the cell would show."""
        ...

    def back(self, cell: Tensor) -> Tensor | None:
        """To what the simulator would show, by a translator that can."""
        ...

    def slow_down(self, share: float) -> None:
        """From now on, steps are this share of the configured learning rate."""
        ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...


def painted(translator: Translator, pictures: Pictures, device: str = "cpu") -> Pictures:
    """Translated as bytes, some at a time."""
    parts = [pictures[k : k + 32] for k in range(0, len(pictures), 32)]
    translated = (translator.translate(as_tensor(part).to(device)) for part in parts)
    return np.concatenate([as_pictures(part) for part in translated])

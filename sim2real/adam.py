"""Adam in one pass over memory, for convolutions that are laid out channels last too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class FusedAdam(torch.optim.Adam):
    """torch's fused step copies all that does not lie row by row (a weight, its gradient, both
    moments) and copies it back, which took longer than the step itself. As it lies, channels last,
    such a weight has its rows; and each of its numbers is a matter of its own."""

    def __init__(
        self, weights: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]
    ) -> None:
        super().__init__(weights, rate, betas, fused=True)

    def _init_group(
        self,
        group: dict[str, Any],
        weights: list[Tensor],
        gradients: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        largest: list[Tensor],
        steps: list[Tensor],
    ) -> bool:
        """Collects what a step is of."""
        parts = (weights, gradients, means, squares)
        found: bool = super()._init_group(group, *parts, largest, steps)  # type: ignore[no-untyped-call]
        for k, weight in enumerate(weights):
            if _channels_last(weight):
                for tensors in parts:
                    tensors[k] = tensors[k].permute(0, 2, 3, 1)
        return found


def _channels_last(weight: Tensor) -> bool:
    laid_out = weight.dim() == 4 and weight.is_contiguous(memory_format=torch.channels_last)
    return laid_out and not weight.is_contiguous()

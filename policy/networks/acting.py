"""What acts, as a module: the shape that every learner's policy is exported in."""

from __future__ import annotations

from torch import Tensor, nn


class PolicyModule(nn.Module):
    """What acts, without what learns. `noise` is the shape of the standard normal numbers it needs
    for a state; none, if it does not sample."""

    noise: tuple[int, ...] = ()

    def __call__(self, *given: Tensor | None) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = super().__call__(*given)
        return result

    def forward(
        self,
        images: Tensor,
        proprio: Tensor,
        past_actions: Tensor,
        limits: Tensor,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Pictures (B, C, H, W) in [0, 1] as `pixels.stacked` has them, and for each state the
        least and largest action allowed now (B, 2, A) -> action (B, A) within them, value (B,)."""
        raise NotImplementedError

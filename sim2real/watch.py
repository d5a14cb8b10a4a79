"""Games that are over before they have taught anything, by name.

A discriminator that is never wrong leaves the generator nothing to follow; a generator that paints
one picture, whatever it is shown, has found a way not to be told apart that is of no use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from torch import Tensor

from policy.contract import Invalid

APART = "told_apart."
SURE = 0.01  # a discriminator's mean loss; at a draw it is 0.25
PATIENCE = 500  # updates, of which that is the mean: at the beginning it may well be ahead
ALIKE = 0.05  # of the spread between the pictures shown, what must be left between translations


class Watch:
    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._losses: dict[str, deque[float]] = {}

    def losses(self, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            if not name.startswith(APART):
                continue
            latest = self._losses.setdefault(name, deque(maxlen=self._patience))
            latest.append(value)
            mean = sum(latest) / len(latest)
            if len(latest) == self._patience and mean < SURE:
                found = f"a loss of {mean:.1g} over {self._patience} updates"
                remedy = "it saturates: begin again elsewhere, with a narrower networks."
                remedy += "discriminator_width, or more pictures"
                side = name.removeprefix(APART).removesuffix("_loss")
                raise Invalid(f"discriminator of {side}", found, f"{SURE} or more", remedy)

    def outputs(self, shown: Tensor, painted: Tensor) -> float:
        """How different the translations are, as a share of what was shown (B, 3, H, W)."""
        if len(shown) < 2:  # nothing to differ from
            return 1.0
        share = spread(painted) / max(spread(shown), 1e-9)
        if not share >= ALIKE:  # nor NaN
            found = f"pictures that differ {share:.1%} as much as what it was shown"
            remedy = "it has collapsed: begin again elsewhere, with a lower learning_rate"
            raise Invalid("generator", found, f"{ALIKE:.0%} or more", remedy)
        return share


def spread(pictures: Tensor) -> float:
    """Between pictures, pixel by pixel."""
    return float(pictures.float().std(0).mean())

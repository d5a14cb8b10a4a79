"""How sure a success rate is."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959964


@dataclass(frozen=True)
class Rate:
    """Successes of so many tries, and Wilson's 95 % interval, which is honest near 0 and 1."""

    successes: int
    tries: int

    @property
    def value(self) -> float:
        return self.successes / self.tries if self.tries else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.tries:
            return 0.0, 1.0
        n, p = self.tries, self.value
        centre = p + Z95**2 / (2 * n)
        half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
        scale = 1 + Z95**2 / n
        return max((centre - half) / scale, 0.0), min((centre + half) / scale, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%}-{high:.1%}, {self.successes} of {self.tries})"

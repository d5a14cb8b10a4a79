"""Gradient steps: batches in, one ahead of the other, and what they measured on the way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from policy.contract import Invalid
from policy.experience.replay import Prefetcher, Sampler
from policy.learners.learner import Learner, Metrics

if TYPE_CHECKING:
    from typing_extensions import Self


class Updates:
    def __init__(self, learner: Learner, sampler: Sampler, batch: int, device: str) -> None:
        self._learner, self._sampler = learner, sampler
        self._batch, self._device = batch, device
        self._batches: Prefetcher | None = None  # draws at once: not before there is something
        self._measured: list[Metrics] = []
        self.diverged = False

    def step(self, number: int, rate: float) -> None:
        """One, at this share of the learning rate. A loss that is not finite is the end."""
        if self._batches is None:
            self._batches = Prefetcher(self._sampler, self._batch, device=self._device)
        self._learner.slow_down(rate)
        metrics = self._learner.update(next(self._batches))
        for name, value in metrics.items():
            if name.endswith("loss") and not math.isfinite(value):
                self.diverged = True
                remedy = "begin again in another directory, with a lower learning_rate"
                raise Invalid(f"{name} of update {number}", value, "finite", remedy)
        self._measured.append(metrics)

    def means(self) -> Metrics:
        """Of what was measured since the last time."""
        found, measured = {}, self._measured
        for name in measured[0] if measured else ():  # some have no value in some batches
            if known := [one[name] for one in measured if math.isfinite(one[name])]:
                found[name] = sum(known) / len(known)
        self._measured = []
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._batches is not None:
            self._batches.close()

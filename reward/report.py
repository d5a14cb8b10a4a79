"""What a classifier is worth on episodes that were held out: figures, ROC, the worst mistakes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt

from policy.contract.files import write_atomic
from policy.experience.pictures import write_picture
from policy.experience.rate import Rate

from .labels import Example
from .sheet import sheet

Array = npt.NDArray[Any]
WORST = 6


@dataclass(frozen=True)
class Report:
    examples: Sequence[Example]
    likely: Array  # probability of a success, as told
    truth: Array

    @property
    def precision(self) -> Rate:
        told = self.likely >= 0.5
        return Rate(int((told & self.truth).sum()), int(told.sum()))

    @property
    def recall(self) -> Rate:
        told = self.likely >= 0.5
        return Rate(int((told & self.truth).sum()), int(self.truth.sum()))

    @property
    def roc(self) -> tuple[Array, Array]:
        """Share of failures, and of successes, that are called successes, at each threshold."""
        order = np.argsort(-self.likely, kind="stable")
        good = self.truth[order]
        ends = np.append(np.diff(self.likely[order]) != 0, True)  # ties are told together
        false = np.cumsum(~good)[ends] / max((~good).sum(), 1)
        true = np.cumsum(good)[ends] / max(good.sum(), 1)
        return np.append(0.0, false), np.append(0.0, true)

    @property
    def area(self) -> float:
        false, true = self.roc
        return float(np.trapezoid(true, false))

    @property
    def miscalibration(self) -> float:
        """How far, on average, what it says is from how often it is right, in ten bands."""
        band = np.minimum((10 * self.likely).astype(int), 9)
        gaps = [
            abs(self.likely[band == k].mean() - self.truth[band == k].mean()) * (band == k).mean()
            for k in np.unique(band)
        ]
        return float(sum(gaps))

    def __str__(self) -> str:
        return (
            f"of {len(self.truth)} held out: precision {self.precision}, recall {self.recall}, "
            f"area under ROC {self.area:.4f}, miscalibrated by {self.miscalibration:.1%}"
        )

    def write(self, folder: Path, camera: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        false, true = self.roc
        told = {
            "held_out": len(self.truth), "precision": str(self.precision),
            "recall": str(self.recall), "area_under_roc": self.area,
            "miscalibration": self.miscalibration,
            "roc": [[round(float(x), 4) for x in pair] for pair in zip(false, true, strict=True)],
        }  # fmt: skip
        write_atomic(folder / f"{camera}.json", (json.dumps(told, indent=1) + "\n").encode())
        mpl.use("agg")
        figure, axis = plt.subplots(figsize=(4, 4), layout="constrained")
        axis.plot(false, true)
        axis.set(xlabel="failures called successes", ylabel="successes found", title=camera)
        axis.grid(alpha=0.3)
        figure.savefig(folder / f"{camera}_roc.png", dpi=110)
        plt.close(figure)
        off = np.abs(self.likely - self.truth)
        worst = [int(k) for k in np.argsort(-off) if off[k] > 0.5][:WORST]
        if worst:
            rows = [(self.examples[k], self._told(k)) for k in worst]
            write_picture(folder / f"{camera}_mistakes.jpg", sheet(rows))

    def _told(self, k: int) -> str:
        was = "success" if self.truth[k] else "failure"
        return f"{self.examples[k].episode}: was a {was}, told success at {self.likely[k]:.1%}"

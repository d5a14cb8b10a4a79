"""The learned classifier: a network that was trained on this cell's own labelled pictures.

python -m reward.train FOLDER LOG ...      writes FOLDER/classifier_<camera>.onnx
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import models
from .detector import Detector, Picture, Setup
from .graph import Graph

NAME = "classifier"
REMEDY = "train it: python -m reward.train FOLDER LOG ..."
CERTAIN = 1e-6


@dataclass(frozen=True)
class Record(models.Record):
    """Of how a classifier was made, and what it was worth on episodes that were held out."""

    temperature: float
    precision: str
    recall: str


def build(setup: Setup) -> Detector:
    return models.Models(NAME, setup, Record, REMEDY, _look)


def _look(graph: Graph[Record], before: Picture, after: Picture) -> tuple[float, str]:
    [found] = graph(before=before[None], after=after[None])
    likely = min(max(float(found[0]), CERTAIN), 1 - CERTAIN)
    return math.log(likely / (1 - likely)), f"success at {likely:.1%}"

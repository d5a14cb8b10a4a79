"""RL-VLM-F: a reward learnt from which of two episodes came nearer to the goal.

    python -m reward.prefer FOLDER LOG ... --ask vlm       writes FOLDER/preference_<camera>.onnx

Three networks learn it apart from each other; where they do not agree, it abstains.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import models
from .detector import Detector, Picture, Setup
from .graph import Graph

NAME = "preference"
MEMBERS = 3
REMEDY = "train it: python -m reward.prefer FOLDER LOG ..."


@dataclass(frozen=True)
class Record(models.Record):
    """Of how the ensemble was made."""

    preferences: int
    scale: float  # what a member's reward is worth, as a logarithm of odds,
    offset: float  # and what none is


def build(setup: Setup) -> Detector:
    return models.Models(NAME, setup, Record, REMEDY, _look)


def _look(graph: Graph[Record], before: Picture, after: Picture) -> tuple[float | None, str]:
    [found] = graph(before=before[None], after=after[None])
    odds = graph.record.scale * found[0] + graph.record.offset
    agree = len(set(odds >= 0)) == 1
    return (
        float(odds.mean()) if agree else None,
        "odds of three " + ", ".join(f"{one:+.2f}" for one in odds),
    )

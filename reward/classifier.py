"""The learned classifier: a network that was trained on this cell's own labelled pictures.

python -m reward.train FOLDER LOG ...      writes FOLDER/classifier_<camera>.onnx
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from policy.contract import Invalid, Strict
from policy.experience.pictures import captioned, stacked

from .detector import NO_CLIP, Clip, Detector, Judgement, Picture, Pictures, Setup, checked
from .graph import Graph

NAME = "classifier"
SUREST = 0.999
REMEDY = "train it: python -m reward.train FOLDER LOG ..."


@dataclass(frozen=True)
class Record(Strict):
    """Of how a classifier was made."""

    camera: str
    size: tuple[int, int]  # of the camera's frame
    box: tuple[int, int, int, int]  # that it looks at: top, left, bottom, right
    episodes: tuple[str, ...]  # that it was made of, in whatever way: they test nothing
    temperature: float
    precision: str
    recall: str


def model_file(folder: Path, camera: str) -> Path:
    return folder / f"{NAME}_{camera}.onnx"


def build(setup: Setup) -> Detector:
    graphs = {
        camera: Graph(model_file(setup.folder, camera), Record, REMEDY) for camera in setup.masks
    }
    return Classifier(setup, graphs)


class Classifier:
    name = NAME

    def __init__(self, setup: Setup, graphs: Mapping[str, Graph[Record]]) -> None:
        for camera, graph in graphs.items():
            if graph.record.size != setup.masks[camera].shape:
                found, wanted = graph.record.size, str(setup.masks[camera].shape)
                raise Invalid(f"{NAME}.{camera}.size", found, wanted, REMEDY)
        self._masks, self._graphs = setup.masks, dict(graphs)
        self.seen = frozenset(e for graph in graphs.values() for e in graph.record.episodes)

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        odds, words, drawn = 0.0, [], []
        for camera, graph in self._graphs.items():
            mask = self._masks[camera]
            first = checked(before.get(camera), f"before.{camera}", mask)
            second = checked(after.get(camera), f"after.{camera}", mask)
            [found] = graph(before=first[None], after=second[None])
            likely = min(max(float(found[0]), 1 - SUREST), SUREST)
            odds += math.log(likely / (1 - likely)) / len(self._graphs)
            words.append(f"{camera}: success at {likely:.1%}")
            drawn.append(_drawn(first, second, graph.record, words[-1]))
        confidence = 1 / (1 + math.exp(-abs(odds)))
        reason, picture = "; ".join(words), stacked(drawn)
        return Judgement(self.name, odds >= 0, confidence, reason=reason, evidence=picture)


def _drawn(before: Picture, after: Picture, record: Record, text: str) -> Picture:
    """What it looks at, side by side."""
    top, left, bottom, right = record.box
    both = np.hstack([picture[top:bottom, left:right] for picture in (before, after)])
    half = (both.shape[1] // 2, both.shape[0] // 2)
    return captioned(np.asarray(cv2.resize(both, half, interpolation=cv2.INTER_AREA)), text)

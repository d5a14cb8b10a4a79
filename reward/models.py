"""A detector that runs models: a graph for each camera, which looks at a part of whole frames, and
odds that become a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

import numpy as np

from policy.contract import Invalid, Strict
from policy.experience.pictures import captioned, stacked

from .detector import NO_CLIP, Clip, Judgement, Picture, Pictures, Setup, checked, judgement
from .graph import Graph


@dataclass(frozen=True)
class Record(Strict):
    """Of what each model was made of and for."""

    camera: str
    size: tuple[int, int]  # of its frame
    box: tuple[int, int, int, int]  # that is looked at: top, left, bottom, right
    episodes: tuple[str, ...]  # that it was made of, in whatever way: they test nothing


R = TypeVar("R", bound=Record)


def model_file(folder: Path, name: str, camera: str) -> Path:
    return folder / f"{name}_{camera}.onnx"


# From before and after to the logarithm of the odds, None where it cannot tell, and why.
Look: TypeAlias = Callable[[Graph[R], Picture, Picture], tuple[float | None, str]]


class Models(Generic[R]):
    """`seen`: the episodes that it was made of."""

    def __init__(
        self, name: str, setup: Setup, record: type[R], remedy: str, look: Look[R]
    ) -> None:
        self.name, self._masks, self._look = name, setup.masks, look
        self.graphs: dict[str, Graph[R]] = {}
        for camera, mask in setup.masks.items():
            graph = Graph(model_file(setup.folder, name, camera), record, remedy)
            if graph.record.size != mask.shape:
                found, wanted = graph.record.size, str(mask.shape)
                raise Invalid(f"{name}.{camera}.size", found, wanted, remedy)
            self.graphs[camera] = graph
        self.seen = frozenset(e for graph in self.graphs.values() for e in graph.record.episodes)

    def judge(
        self, before: Pictures, after: Pictures, clip: Clip = NO_CLIP, task: str = ""
    ) -> Judgement:
        odds, words, drawn = [], [], []
        for camera, graph in self.graphs.items():
            mask = self._masks[camera]
            first = checked(before.get(camera), f"before.{camera}", mask)
            second = checked(after.get(camera), f"after.{camera}", mask)
            told, why = self._look(graph, first, second)
            words.append(f"{camera}: {why}")
            drawn.append(side_by_side(first, second, graph.record.box, words[-1]))
            if told is not None:
                odds.append(told)
        return judgement(self.name, odds, "; ".join(words), stacked(drawn))


def side_by_side(
    before: Picture, after: Picture, box: tuple[int, int, int, int], text: str
) -> Picture:
    top, left, bottom, right = box
    both = np.hstack([picture[top:bottom, left:right] for picture in (before, after)])
    return captioned(np.ascontiguousarray(both), text)

"""VLM-RM: a CLIP model as a reward, from two sentences instead of labels.

    python -m reward.clip FOLDER CLIP-DIRECTORY [LOG ...]    writes FOLDER/vlm_rm_<camera>.onnx

R = 1 - |(s - g) P|^2 / 2, where s is the picture's embedding, g the goal sentence's, and P projects
by the share alpha onto the direction from a baseline sentence to the goal. Of each picture by
itself it is a dense reward; as a judge it tells whether the bin came nearer to the goal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import models
from .detector import Detector, Picture, Setup
from .graph import Graph

NAME = "vlm_rm"
REMEDY = "export a CLIP or SigLIP directory: python -m reward.clip"


@dataclass(frozen=True)
class Record(models.Record):
    """Of how a reward was made: of which model, of which sentences."""

    model: str
    goal: str
    baseline: str
    alpha: float
    scale: float  # what a difference of rewards is worth, as a logarithm of odds,
    offset: float  # and what none is; as the model's makers scale it where no labels told


def build(setup: Setup) -> Detector:
    return VlmRm(NAME, setup, Record, REMEDY, _look)


class VlmRm(models.Models[Record]):
    def rewards(self, camera: str, frames: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Dense: of each of a camera's frames."""
        [found] = self.graphs[camera](frames=frames)
        return found


def _look(graph: Graph[Record], before: Picture, after: Picture) -> tuple[float, str]:
    [found] = graph(frames=np.stack([before, after]))
    was, is_ = (float(reward) for reward in found)
    odds = graph.record.scale * (is_ - was) + graph.record.offset
    return odds, f"reward from {was:.4f} to {is_:.4f}"

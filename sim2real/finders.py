"""Detectors that can be plugged in: ours, any of torchvision's kind, and ONNX files.

`find` is for measuring. To train a translator by what a detector sees takes `dense`, its outputs
before any threshold with a gradient back to the picture; an ONNX file has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from policy.contract import Invalid

from .boxes import HAND, THING, Found
from .data import Pictures, as_tensor
from .detection import read_detector
from .detector import Dense

THEIRS: Mapping[int, int] = {1: THING, 2: HAND}  # their labels (0 is the background) to ours
ROWS = 32  # pictures at a time
OUTPUTS = ("boxes", "labels", "scores")


class Finder(Protocol):
    """Pictures are (B, 3, H, W) in [-1, 1]."""

    def find(self, pictures: Tensor) -> list[Found]: ...


class DenseFinder(Finder, Protocol):
    """Its weights are frozen."""

    def dense(self, pictures: Tensor) -> Dense: ...


class Torchvision:
    """RetinaNet or FCOS as torchvision builds them: `transform`, `backbone`, `head`; in [0, 1]."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model.requires_grad_(False).eval()

    @torch.no_grad()
    def find(self, pictures: Tensor) -> list[Found]:
        found = self._model(list((pictures + 1) / 2))
        return [_ours(*(one[name].cpu().numpy() for name in OUTPUTS)) for one in found]

    def dense(self, pictures: Tensor) -> Dense:
        model: Any = self._model
        images, _ = model.transform(list((pictures + 1) / 2))
        found = model.head(list(model.backbone(images.tensors).values()))
        return Dense(found["cls_logits"], found["bbox_regression"])


class Onnx:
    """As torchvision exports: one picture (3, H, W) or (1, 3, H, W) in [0, 1]; boxes, labels,
    scores."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        [self._input] = self._session.get_inputs()
        names = [output.name for output in self._session.get_outputs()]
        if missing := [name for name in OUTPUTS if name not in names]:
            remedy = "export it with these output names"
            raise Invalid(str(path), ", ".join(names), f"{', '.join(missing)} as well", remedy)

    def find(self, pictures: Tensor) -> list[Found]:
        shown = ((pictures + 1) / 2).cpu().numpy()
        batched = len(self._input.shape) == 4
        return [self._look(one[None] if batched else one) for one in shown]

    def _look(self, picture: np.ndarray[Any, Any]) -> Found:
        found = self._session.run(list(OUTPUTS), {self._input.name: picture})
        return _ours(*(np.asarray(part) for part in found))


def _ours(boxes: Any, labels: Any, scores: Any) -> Found:
    known = np.isin(labels, list(THEIRS))
    kinds = np.array([THEIRS[int(label)] for label in labels[known]], int)
    return Found(boxes[known].astype(float), kinds, scores[known].astype(float))


def read_finder(where: str, size: int, device: torch.device) -> Finder:
    """A file of sim2real.detection, an ONNX file, or `module:function` that makes a model of
    torchvision's kind; for pictures of `size`."""
    if where.endswith(".onnx"):
        return Onnx(Path(where))
    return read_dense(where, size, device)


def read_dense(where: str, size: int, device: torch.device) -> DenseFinder:
    if where.endswith(".onnx"):
        wanted = "one with a gradient: of sim2real.detection, or of torchvision's kind"
        raise Invalid("detector", where, wanted, "an ONNX file can only be measured with")
    module, _, function = where.partition(":")
    if function:
        return Torchvision(getattr(import_module(module), function)().to(device))
    detector = read_detector(Path(where))
    if detector.config.size != size:
        found, wanted = f"one for {detector.config.size} px", f"one for {size} px"
        raise Invalid("detector", found, wanted, "train another: sim2real.detection --size")
    return detector.to(device)


def all_found(finder: Finder, pictures: Pictures) -> list[Found]:
    parts = (as_tensor(pictures[k : k + ROWS]) for k in range(0, len(pictures), ROWS))
    return [found for part in parts for found in finder.find(part)]

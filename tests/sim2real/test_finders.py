"""Detectors of other makes: what they find is read as ours; who has no gradient is told so."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from policy.contract import Invalid
from sim2real.boxes import HAND, THING
from sim2real.detection import write_detector
from sim2real.detector import Detector, DetectorConfig
from sim2real.finders import Onnx, Torchvision, all_found, read_dense, read_finder

CPU = torch.device("cpu")
SIZE = 16


class Brightest(nn.Module):
    """Its box is about the brightest pixel, its score that pixel's; the second is a hand, the third
    of a class that we do not know."""

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        grey = picture.mean(0).flatten()
        place = grey.argmax()
        x, y = place % SIZE, place // SIZE
        box = torch.stack([x - 1, y - 1, x + 2, y + 2]).float()
        labels = torch.tensor([1, 2, 77])
        return torch.stack([box, box, box]), labels, grey.max().expand(3)


class Theirs(nn.Module):
    """The parts of torchvision's RetinaNet and FCOS, and how they hang together, around a linear
    network."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Pyramid()
        self.head = Head()
        self._finds = Brightest()

    def transform(self, images: list[Tensor]) -> tuple[Any, None]:
        return SimpleNamespace(tensors=torch.stack(images)), None

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        names = ("boxes", "labels", "scores")
        return [dict(zip(names, self._finds(one), strict=True)) for one in images]


class Pyramid(nn.Module):
    def forward(self, images: Tensor) -> Mapping[str, Tensor]:
        return {"0": images, "1": nn.functional.avg_pool2d(images, 2)}


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.classes, self.boxes = nn.Conv2d(3, 5, 1), nn.Conv2d(3, 4, 1)

    def forward(self, features: list[Tensor]) -> dict[str, Tensor]:
        def flat(layer: nn.Module) -> Tensor:
            return torch.cat([layer(one).flatten(2).mT for one in features], dim=1)

        return {"cls_logits": flat(self.classes), "bbox_regression": flat(self.boxes)}


def spots() -> Any:
    pictures = np.full((3, SIZE, SIZE, 3), 20, np.uint8)
    for k in range(3):
        pictures[k, 4 + k, 2 * k + 3] = 255
    return pictures


def check(found: Any) -> None:
    assert [one.classes.tolist() for one in found] == [[THING, HAND]] * 3
    for k, one in enumerate(found):
        assert one.of(THING).centres.tolist() == [[2 * k + 3.5, 4 + k + 0.5]]
        assert one.scores == pytest.approx(1)


def test_one_of_torchvisions_kind_finds_and_has_a_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("made_elsewhere")
    module.make = Theirs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_elsewhere", module)
    finder = read_dense("made_elsewhere:make", SIZE, CPU)
    assert isinstance(finder, Torchvision)
    check(all_found(finder, spots()))
    pictures = torch.zeros(2, 3, SIZE, SIZE, requires_grad=True)
    dense = finder.dense(pictures)
    assert dense.logits.shape == (2, 16 * 16 + 8 * 8, 5)
    assert dense.boxes.shape == (2, 16 * 16 + 8 * 8, 4)
    torch.autograd.backward(dense.logits.square().sum())
    assert pictures.grad is not None
    assert pictures.grad.abs().max() > 0


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch's own exporter
def test_an_onnx_file_finds_and_cannot_teach(tmp_path: Path) -> None:
    path = tmp_path / "theirs.onnx"
    names = ["boxes", "labels", "scores"]
    shown = (torch.rand(3, SIZE, SIZE),)
    torch.onnx.export(
        Brightest().eval(), shown, path, output_names=names, dynamo=True, verbose=False
    )
    finder = read_finder(str(path), SIZE, CPU)
    assert isinstance(finder, Onnx)
    check(all_found(finder, spots()))
    with pytest.raises(
        Invalid, match=r"one with a gradient: .*; an ONNX file can only be measured"
    ):
        read_dense(str(path), SIZE, CPU)


def test_ours_is_for_one_size(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    write_detector(path, Detector(DetectorConfig(SIZE, 8)), {})
    assert len(all_found(read_dense(str(path), SIZE, CPU), spots())) == 3
    with pytest.raises(Invalid, match="detector: found 'one for 16 px', wanted one for 64 px"):
        read_dense(str(path), 64, CPU)

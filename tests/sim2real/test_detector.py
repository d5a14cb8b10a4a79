"""The detector's own arithmetic, and that it learns to find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from grasping_rooms import SIDE, TWIN, write_grasps

from calibration import load_cell
from policy.contract import ContractError, Invalid
from sim2real.boxes import HAND, THING, Found, both, sure
from sim2real.data import as_tensor
from sim2real.detection import learn, main, measured, read_detector, truths, write_detector
from sim2real.detector import (
    Dense,
    Detector,
    DetectorConfig,
    Targets,
    absolute,
    anchors,
    loss,
    relative,
    targets,
)
from sim2real.kinematics import Calibrated
from sim2real.labels import of_cell, of_simulator, things_of
from sim2real.reading import read_domain

SMALL = DetectorConfig(SIDE, 8)


def boxes(*corners: tuple[float, ...], kind: int = THING) -> Found:
    return sure(np.array(corners, float), kind)


def test_boxes_come_back_from_what_anchors_say() -> None:
    places = anchors(32)
    assert places.shape == (256, 2)
    assert places[17].tolist() == [3, 3]
    box = torch.tensor([1.0, 5.0, 9.0, 8.0])
    torch.testing.assert_close(absolute(relative(box, places), places), box.expand(256, 4))


def test_a_box_has_the_anchors_of_its_middle_and_the_smaller_one_goes_before() -> None:
    places = anchors(32)
    small = targets(boxes((10.2, 10.2, 11.2, 11.2)), places)
    assert small.classes[:, THING].sum() == 1  # the nearest, if none is within
    wide = targets(both(boxes((0, 0, 32, 32), kind=HAND), boxes((14, 14, 18, 18))), places)
    assert wide.classes.sum(1).max() == 1
    its = wide.classes[:, THING] == 1
    assert its.sum() == 4  # at 15 and 17 px, both ways
    middle = absolute(wide.boxes, places)[its]
    torch.testing.assert_close(middle, torch.tensor([[14.0, 14, 18, 18]]).expand_as(middle))
    assert 0 < wide.classes[:, HAND].sum() <= 16


def test_mirrored_targets_are_those_of_mirrored_boxes() -> None:
    places = anchors(32)
    one, other = (
        targets(boxes(corners), places)
        for corners in ((3.0, 6, 12, 15), (32.0 - 12, 6, 32 - 3, 15))
    )
    turned = Targets(one.classes[None], one.boxes[None]).mirrored()
    assert torch.equal(turned.classes[0], other.classes)
    torch.testing.assert_close(turned.boxes[0], other.boxes, equal_nan=True)


def test_what_is_unknown_teaches_nothing() -> None:
    logits = torch.zeros(1, 256, 2, requires_grad=True)
    places = torch.zeros(1, 256, 4, requires_grad=True)
    wanted = targets(boxes((3, 3, 9, 9)), anchors(32))
    wanted.classes[:, HAND] = torch.nan
    lost = loss(Dense(logits, places), Targets(wanted.classes[None], wanted.boxes[None]))
    torch.autograd.backward(lost)
    assert logits.grad is not None
    assert places.grad is not None
    assert logits.grad[..., HAND].abs().max() == 0
    assert logits.grad[..., THING].abs().min() > 0
    placed = ~wanted.boxes.isnan().any(1)
    assert (places.grad[0].abs().sum(1) > 0).equal(placed)


def test_it_learns_to_find_things_and_its_file_is_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    write_grasps(tmp_path, "sim", episodes=50, steps=1)
    split, camera = (
        read_domain("sim", tmp_path, "front", SIDE),
        Calibrated(load_cell(TWIN), "front", SIDE),
    )
    detector = Detector(SMALL)
    learn(detector, [of_simulator(split.train, truths(split.train, camera, "front"))], 120)
    detector.eval()
    held = truths(split.held_out, camera, "front")
    found = measured(detector, split.held_out, held)
    assert found["thing at 0.5"] > 0.8
    write_detector(tmp_path / "d.safetensors", detector, {"sim": found})
    again = read_detector(tmp_path / "d.safetensors")
    shown = as_tensor(split.held_out.pictures[:2])
    assert np.array_equal(again.find(shown)[0].boxes, detector.find(shown)[0].boxes)
    assert not any(weight.requires_grad for weight in again.parameters())
    (tmp_path / "d.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ContractError, match=r"wanted a file of sim2real\.detection"):
        read_detector(tmp_path / "d.safetensors")


def test_of_the_cell_only_what_can_be_known_is_taught(tmp_path: Path) -> None:
    write_grasps(tmp_path, "cell", masks=True)  # a twin's
    domain = read_domain("cell", tmp_path, "front", SIDE).train
    camera = Calibrated(load_cell(TWIN), "front", SIDE)
    lessons = of_cell(domain, camera)
    things, hands = lessons.wanted.classes.unbind(2)
    assert hands.isnan().sum() == 0
    assert ((hands == 1).sum(1) > 0).all()
    assert (things == 0).any()  # beside the bin
    assert things.isnan().float().mean() > 0.2  # in it
    lain = [place is not None for one in domain.logged for place in camera.grasped(one)]
    assert 0 < sum(lain) < len(lain)
    assert (things == 1).sum() == 0  # the hand stands before what it grasps, all the time


def test_a_log_without_masks_teaches_no_things(tmp_path: Path) -> None:
    write_grasps(tmp_path, "sim", masks=False)
    domain = read_domain("sim", tmp_path, "front", SIDE).train
    with pytest.raises(Invalid, match=r"pictures without masks', wanted masks of front"):
        things_of(domain, "front")


def test_from_logs_to_a_file_that_tells_its_precision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for room in ("sim", "cell"):
        write_grasps(tmp_path / room, room, masks=room == "sim")
    out = tmp_path / "d.safetensors"
    choices = ["--file", str(TWIN), "--size", str(SIDE), "--updates", "3", "--out", str(out)]
    assert main([str(tmp_path / "sim"), "--cell", str(tmp_path / "cell"), *choices]) == 0
    assert "thing at 0.5" in capsys.readouterr().out
    assert read_detector(out).config.size == SIDE
    assert main([str(tmp_path / "cell"), *choices]) == 2
    assert "collect it with --canonical" in capsys.readouterr().err


def test_a_size_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(Invalid, match="size: found 40, wanted a multiple of 16"):
        DetectorConfig(40)

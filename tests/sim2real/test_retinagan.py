"""What RetinaGAN adds to a CycleGAN: the pictures, not the detector, are to move."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from grasping_rooms import SIDE

from policy.contract import Invalid
from sim2real.cyclegan import CycleConfig, CycleGan
from sim2real.detection import read_detector, write_detector
from sim2real.detector import Detector, DetectorConfig
from sim2real.networks import NetworkConfig
from sim2real.retinagan import RetinaConfig, RetinaGan

NETWORKS = NetworkConfig(width=4, blocks=1, discriminator_width=4, discriminator_layers=1)
CPU = torch.device("cpu")


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.rand(2, 3, SIDE, SIDE) * 2 - 1, torch.rand(2, 3, SIDE, SIDE) * 2 - 1


def trained(path: Path, perception: float) -> RetinaGan:
    torch.manual_seed(0)
    config = RetinaConfig(str(path), perception)
    return RetinaGan(NETWORKS, CycleConfig(), config, SIDE, CPU)


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    torch.manual_seed(2)
    made = Detector(DetectorConfig(SIDE, 8))
    torch.nn.init.zeros_(made.classes.bias)  # type: ignore[arg-type]  # one that sees much
    write_detector(tmp_path / "d.safetensors", made, {})
    return tmp_path / "d.safetensors"


def test_without_weight_it_is_a_cyclegan(detector: Path) -> None:
    plain, kept = pictures(), trained(detector, 0.0)
    torch.manual_seed(0)
    other = CycleGan(NETWORKS, CycleConfig(), SIDE, CPU)
    for translator in (kept, other):
        torch.manual_seed(3)
        for _ in range(2):
            translator.update(*plain)
    theirs = other.state_dict()
    assert kept.state_dict().keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in kept.state_dict().items())


def test_perception_is_learnt_by_the_generators_alone(detector: Path) -> None:
    shown, kept = pictures(), trained(detector, 10.0)
    before = read_detector(detector).state_dict()
    losses = [kept.update(*shown)["perception_loss"] for _ in range(30)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    after = kept._detector.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_it_does_not_begin_without_a_detector() -> None:
    with pytest.raises(Invalid, match=r"retinagan\.detector: found 'none', wanted a detector's"):
        RetinaGan(NETWORKS, CycleConfig(), RetinaConfig(), SIDE, CPU)

"""Detectors by their names; and on cycles of the twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from bins import empty_cycles, mask, picture

import reward
from benchmarks.judging_routine import CAMERA, LIGHTS, collect, pair
from calibration import load_cell
from calibration.geometry import bin_mask
from policy.contract import Invalid
from reward import noise
from reward.detector import Setup, detector, names
from reward.subtraction import noise_file
from sim.env import TWIN

ALWAYS = """
from reward.detector import Judgement

class Always:
    name = "always"

    def judge(self, before, after, clip=(), task=""):
        return Judgement(self.name, True)

def build(setup):
    return Always()
"""


def test_a_detector_is_found_by_its_name(tmp_path: Path) -> None:
    assert {"subtraction", "classifier", "vlm_judge"} <= set(names())
    setup = Setup({"front": mask()}, tmp_path)
    with pytest.raises(Invalid, match="front_noise"):
        detector("subtraction", setup)
    noise.write(noise.measure("front", mask(), empty_cycles()), noise_file(tmp_path, "front"))
    judge = detector("subtraction", setup)
    assert judge.name == "subtraction"
    pictures = {"front": picture(seed=1)}, {"front": picture(seed=2)}
    assert not judge.judge(*pictures).success
    with pytest.raises(Invalid, match=r"wanted of .*subtraction"):
        detector("subtractoin", setup)


def test_a_file_is_all_that_a_detector_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "always.py").write_text(ALWAYS)
    monkeypatch.setattr(reward, "__path__", [*reward.__path__, str(tmp_path)])
    assert {"always", "subtraction"} <= set(names())
    assert detector("always", Setup({}, tmp_path)).judge({}, {}).success


def test_it_judges_cycles_of_the_twin(tmp_path: Path) -> None:
    """In the kitchen: overexposed in places, compressed. One held a can, one nothing."""
    cell = load_cell(TWIN)
    where = bin_mask(cell.cameras[CAMERA], cell.bin)
    [empty] = collect(tmp_path, range(2, 3), "empty")
    known = noise.measure(CAMERA, where, [pair(empty[0], "as is")])
    noise.write(known, noise_file(tmp_path, CAMERA))
    judge = detector("subtraction", Setup({CAMERA: where}, tmp_path))
    [full] = collect(tmp_path, range(6, 7))
    assert full[1].success
    for place, cycle in (empty, full):
        for light in LIGHTS:
            before, after = pair(place, light)
            verdict = judge.judge({CAMERA: before}, {CAMERA: after})
            assert verdict.success == cycle.success, (cycle, light, verdict)
            assert not verdict.abstained

"""The noise of empty cycles: measured, kept, checked when it is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bins import CLUTTER, DROPPED, SIZE, empty_cycles, mask, picture

from policy.contract import ContractError, Invalid
from reward.evidence import compare
from reward.noise import Noise, measure, read, write
from reward.subtraction import Subtraction


def test_a_noisier_camera_has_more_of_it_and_still_sees_nothing_in_it() -> None:
    variances = []
    for grey in (1.0, 3.0, 9.0):
        known = measure("front", mask(), empty_cycles(noise=grey))
        fresh = compare(picture(seed=50, noise=grey), picture(seed=51, noise=grey), mask())
        variances.append(float(np.median(known.variance(fresh)[mask()[fresh.where]])))
        assert not known.changed(fresh).any()
        assert known.restless == 0
    assert variances[0] < variances[1] / 3
    assert variances[1] < variances[2] / 3


def test_what_rolled_in_one_cycle_does_not_count() -> None:
    quiet = measure("front", mask(), empty_cycles(4))
    rolled = (picture(seed=20), picture([*CLUTTER[1:], DROPPED], 21))
    mixed = measure("front", mask(), [*empty_cycles(3), rolled])
    assert mixed.restless == 0
    assert mixed.dark == pytest.approx(quiet.dark, rel=0.5)
    judge = Subtraction({"front": (mask(), mixed)})
    after = picture([*CLUTTER, DROPPED], 8)
    assert judge.judge({"front": picture(seed=7)}, {"front": after}).success


def test_measuring_refuses_what_tells_nothing() -> None:
    with pytest.raises(Invalid, match="cycles: found 0"):
        measure("front", mask(), [])
    black = np.zeros((*SIZE, 3), np.uint8)
    with pytest.raises(Invalid, match=r"cycles\[1\].*black"):
        measure("front", mask(), [*empty_cycles(1), (black, black)])
    with pytest.raises(Invalid, match=r"cycles\[0\].*uint8"):
        measure("front", mask(), [(black[:9], black[:9])])


def test_it_is_kept_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "front_noise.json"
    with pytest.raises(Invalid, match="empty hand"):
        read(path, "front", mask())
    known = measure("front", mask(), empty_cycles())
    write(known, path)
    assert read(path, "front", mask()) == known
    with pytest.raises(Invalid, match="camera"):
        read(path, "wrist", mask())
    with pytest.raises(Invalid, match="size"):
        read(path, "front", mask()[:-1])


@pytest.mark.parametrize(
    ("field", "value"),
    [("format", 2), ("dark", -1.0), ("edge", "much"), ("cycles", -1), ("colour", 1.0)],
)
def test_a_faulty_file_is_refused_by_its_field(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "front_noise.json"
    write(Noise(1, "front", SIZE, 3, 1.0, 0.01, 0.001, 0.0), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ContractError, match=field):
        read(path, "front", mask())

"""What is apart, doing the same: nothing in the same cell, something in another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell, save_cell
from policy.contract import Invalid
from sim.collect import Collection, collect
from sim.env import TWIN
from sim.replay import replay
from sim2real.page import _moves
from sim2real.residual import residual


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    collect(made, Collection(size=16, randomize=False), episodes=3)
    return made


def test_in_the_same_cell_the_arm_does_the_same(log: Path, tmp_path: Path) -> None:
    replay(log, tmp_path / "again", TWIN)
    found = residual(log, tmp_path / "again")
    assert len(found.apart) > 10
    assert np.median(found.apart) < 0.1
    assert np.median(found.moved) > 5
    assert any(line.startswith("| TCP apart, mm | 0.0 |") for line in _moves(found, "cell"))


def test_in_a_cell_that_answers_later_it_lags(log: Path, tmp_path: Path) -> None:
    cell = load_cell(TWIN)
    command = cell.latency.command
    late = replace(command, mean=replace(command.mean, value=command.mean.value + 0.1))
    save_cell(replace(cell, latency=replace(cell.latency, command=late)), tmp_path / "late.yaml")
    replay(log, tmp_path / "again", tmp_path / "late.yaml")
    assert np.median(residual(log, tmp_path / "again").apart) > 2


def test_what_was_not_made_of_the_log_is_refused(log: Path) -> None:
    with pytest.raises(Invalid, match=r"replayed: found None, wanted what sim.replay made of"):
        residual(log, log)

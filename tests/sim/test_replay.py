"""A log's motions, done again: each episode once, and only where they can be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell, save_cell
from policy.experience.log import open_index, read_episode
from sim.collect import Collection, collect
from sim.env import TWIN
from sim.replay import main


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    collect(made, Collection(size=16, randomize=False), episodes=3)
    return made


def test_each_episode_is_done_again_once(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "again"
    assert main([str(log), str(out)]) == 0
    assert capsys.readouterr().out == f"3 episodes added to {out}\n"
    assert main([str(log), str(out)]) == 0
    assert capsys.readouterr().out == f"0 episodes added to {out}\n"
    with open_index(log) as index, open_index(out) as again:
        lengths = {entry.episode_id: entry.steps for entry in index}
        for entry in again:
            told = read_episode(entry.path)
            assert len(told) == lengths[told.info.parameters["replayed"]]
            assert np.abs(told.executed[1:]).sum() > 0


def test_another_cells_log_is_refused(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = load_cell(TWIN)
    step = cell.control.max_step
    slower = replace(cell.control, max_step=replace(step, value=step.value / 2))
    save_cell(replace(cell, control=slower), tmp_path / "slow.yaml")
    assert main([str(log), str(tmp_path / "again"), "--cell", str(tmp_path / "slow.yaml")]) == 2
    assert "name the file of the cell it was logged in" in capsys.readouterr().err

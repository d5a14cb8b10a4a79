"""The camera is looked for until the log tells where it is, and found again after a restart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from regrasp_nodes.camera_search import CameraSearch

from calibration import load_cell
from policy.contract import Invalid

CELL = load_cell(Path(__file__).resolve().parents[2] / "calibration" / "cells" / "twin.yaml")


def finished(search: CameraSearch) -> bool:
    end = time.monotonic() + 30
    while not (done := search.done()) and time.monotonic() < end:
        time.sleep(0.01)
    return done


def test_nothing_to_look_for_is_done(tmp_path: Path) -> None:
    assert CameraSearch(CELL, "none", tmp_path, tmp_path / "views.json").done()
    (tmp_path / "views.json").write_text("[]")
    assert CameraSearch(CELL, "wrist", tmp_path, tmp_path / "views.json").done()


def test_a_camera_that_the_cell_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="camera: found 'side', wanted one of"):
        CameraSearch(CELL, "side", tmp_path, tmp_path / "views.json")


def test_says_why_it_gave_up(tmp_path: Path) -> None:
    search = CameraSearch(CELL, "front", tmp_path, tmp_path / "views.json")
    assert finished(search)
    assert "where the cell file has it: cameras.front.depth: found None" in search.said
    assert not search.path.exists()
    search.close()


def test_goes_on_while_the_log_has_too_little(tmp_path: Path) -> None:
    search = CameraSearch(CELL, "wrist", tmp_path, tmp_path / "views.json")
    assert not any(search.done() for _ in range(5))
    search.close()

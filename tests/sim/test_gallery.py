"""Sheets: drawn, captioned, and each preset another look."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from policy.experience.pictures import captioned, headed, stacked
from sim.env import TWIN
from sim.gallery import GAP, LARGE, SMALL, main

TILE = SMALL + 12


def page(out: Path, *arguments: str) -> np.ndarray:
    """In a process of its own, which has the one renderer."""
    done = subprocess.run(
        [sys.executable, "-m", "sim.gallery", str(out), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    picture = cv2.imread(str(out))
    assert picture is not None
    return np.asarray(picture)


def test_the_sheet(tmp_path: Path) -> None:
    sheet = page(tmp_path / "sheet.png")
    assert sheet.shape[1] == 9 * TILE + GAP
    right = sheet[32:, 6 * TILE + GAP :]
    assert (sheet[:, 6 * TILE : 6 * TILE + GAP] == 255).all()
    # As measured, then the presets: the same things, each time in another light.
    rows = [right[k * (SMALL + 30) :][6 : 6 + SMALL, 6 : 6 + SMALL].astype(int) for k in range(4)]
    for a, b in combinations(rows, 2):
        assert np.abs(a - b).mean() > 8
    left = sheet[32:, : 6 * TILE]
    tiles = [left[6 : 6 + SMALL, k * TILE + 6 :][:, :SMALL].astype(int) for k in range(6)]
    for a, b in combinations(tiles, 2):
        assert np.abs(a - b).mean() > 8


def test_two_cells_one_after_the_other(tmp_path: Path) -> None:
    ur5e = TWIN.with_name("twin_ur5e.yaml")
    both = page(tmp_path / "arms.png", "--page", "arms", "--cell", str(TWIN), "--cell", str(ur5e))
    height = LARGE[0] + 30
    assert both.shape == (2 * height, 2 * (LARGE[1] + 12), 3)
    franka, other = both[:height, LARGE[1] + 12 :], both[height:, LARGE[1] + 12 :]
    assert np.abs(franka.astype(int) - other)[: LARGE[0] // 2].mean() > 5  # another arm


def test_paper() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    tile = captioned(picture, "a line", (1, 2, 3))
    assert (tile[6:26, 6:36] == 0).all()
    assert (tile[26:29, 6:36] == (1, 2, 3)).all()
    assert (tile[29:] < 200).any()  # ink
    assert (tile[:6] == 255).all()
    both = stacked([tile, picture])
    assert both.shape == (tile.shape[0] + 20, tile.shape[1], 3)
    assert (both[-20:, 30:] == 255).all()
    assert headed(["one", "two"], [tile], 100).shape == (54 + tile.shape[0], 100, 3)
    assert headed(["alone"], [], 100).shape == (32, 100, 3)


def test_what_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    assert main([str(out), "--cell", "nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
    assert not out.exists()

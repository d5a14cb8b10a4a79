"""Latency, dynamics and pictures from the command line: from records to the cell file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration import load_cell
from calibration.__main__ import main
from calibration.excitation import sway
from calibration.streams import save_streams
from sim.env import TWIN
from sim.robot import main as write_arm
from sim.twin.replay import joints_of, replay, with_joints


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    path = tmp_path / "cell.yaml"
    path.write_bytes(TWIN.read_bytes())
    return path


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["calibration", *map(str, words)])
    return main()


def test_joints(
    cell: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an arm whose friction is half as much again as the file says."""
    nominal = load_cell(cell)
    known = replace(joints_of(nominal), friction=1.5 * joints_of(nominal).friction)
    motion = replay(with_joints(nominal, known), sway(16.0, 0.01, 0.06, 0.35), 0.01)
    log, arm = cell.with_name("motion.npz"), cell.with_name("arm.xml")
    rows = np.column_stack([motion.times, motion.positions, motion.efforts])
    save_streams({"joints": rows}, log)
    monkeypatch.setattr("sys.argv", ["robot", str(cell), str(arm)])
    write_arm()
    assert run(monkeypatch, "dynamics", cell, log, "--model", arm, "--write") == 0
    assert "held out:" in capsys.readouterr().out
    found = load_cell(cell).dynamics
    assert found is not None
    np.testing.assert_allclose(found.friction.value, known.friction, rtol=0.1)
    assert found.friction.method == "sway"
    assert run(monkeypatch, "latency", cell, log) == 1
    assert "nothing that is late" in capsys.readouterr().err


def test_pictures(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    v, u = np.mgrid[:120, :160]
    scene = np.repeat(40 + 170 * ((u // 20 + v // 20) % 2)[..., None], 3, axis=2)
    still = []
    for number in range(10):
        picture = np.clip(scene + random.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        still.append(cell.with_name(f"{number}.png"))
        cv2.imwrite(str(still[-1]), picture)
    assert run(monkeypatch, "images", cell, "front", "--still", *still,
               "--exposures", *np.linspace(0.004, 0.008, 9), "--write") == 0  # fmt: skip
    camera = load_cell(cell).cameras["front"]
    assert camera.noise.value == pytest.approx(3, rel=0.15)
    assert camera.exposure.value == pytest.approx((0.0041, 0.0079), abs=1e-4)
    assert camera.vignetting.method == "design"
    assert run(monkeypatch, "images", cell, "front", "--day", *still) == 1

"""A camera of the twin is calibrated by the launch file, each node a process: the attendant shows
the board and puts it into the hand, the guard moves the arm, and a cell file comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell
from calibration.rigid import apart, matrix_of, rigid, turned
from sim.config import ObjectConfig
from sim.env import TWIN
from sim.presets import episode

ROOT = Path(__file__).resolve().parents[2]
ROOM, SEED = "factory", 3
AXES = np.diag([1.0, -1.0, -1.0])
# A fifth as fast as the clock on the wall: a busy machine draws and reads the board beside it.
WORDS = (f"preset:={ROOM}", f"seed:={SEED}", "camera_rate:=10.0", "factor:=0.2",
         "use_sim_time:=true", "poses:=12", "views:=24")  # fmt: skip


@pytest.mark.slow
def test_the_launch_file_calibrates_the_twins_camera(tmp_path: Path) -> None:
    file = ROOT / "launch/calibrate.launch.py"
    command = [sys.executable, "-m", "rosless", "launch", str(file), f"out:={tmp_path}", *WORDS]
    environment = {**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "not calibrated" not in said, said
    nominal, cell = load_cell(TWIN), load_cell(tmp_path / "cell.yaml")
    view = episode(ROOM, nominal, SEED, ObjectConfig(count=(6, 10)), 12).views["front"]
    known = matrix_of(nominal.cameras["front"].pose)
    turn = known[:3, :3] @ turned(AXES @ np.array(view.turn))
    truth = rigid(turn, known[:3, 3] + np.array(view.shift))
    place, angle = apart(matrix_of(cell.cameras["front"].pose), truth)
    assert place < 0.003
    assert angle < np.radians(0.2)
    zoom = np.array(cell.cameras["front"].focal.value) / nominal.cameras["front"].focal.value
    np.testing.assert_allclose(zoom, view.zoom, rtol=0.004)
    assert cell.cameras["front"].pose.position.residual is not None
    assert cell.latency.command.mean.method == "stream of velocities"
    assert cell.latency.camera.mean.method == "image motion"
    assert {one.name for one in tmp_path.iterdir()} == {
        "cell.yaml", "front_lens.json", "front_poses.json", "front_motion.npz"
    }  # fmt: skip

"""The launch files: what they may be told, that they start, and that they end as they should."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from live_cell import NODES, live
from ros_doing import LAUNCH, until

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "launch").glob("*.launch.py"))
TWIN = ROOT / "calibration/cells/twin.yaml"
START_S = 60.0  # on a busy machine
SERIAL = "a0b1c2"  # no number: those of processes are in what launch says, too


def test_they_are_all_there() -> None:
    names = {file.name.removesuffix(".launch.py") for file in FILES}
    assert names == {
        "bringup_real", "calibrate", "collect_demos", "grasp_finetune", "grasp_run", "twin",
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_arguments_are_described(file: Path) -> None:
    found = subprocess.run(
        [*LAUNCH, str(file), "--show-args"], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    names = [k for k, line in enumerate(lines) if line.startswith("    '")]
    assert names
    for k in names:
        assert "no description" not in lines[k + 1].lower()


def test_who_learns_strays_in_a_fifth_of_the_steps_unless_told_otherwise() -> None:
    file = str(ROOT / "launch/grasp_finetune.launch.py")
    found = subprocess.run([*LAUNCH, file, "--show-args"], capture_output=True, text=True)
    assert "(default: '0.2')" in found.stdout.split("'explore'")[1].splitlines()[2]


def test_a_wrong_choice_is_refused() -> None:
    file = str(ROOT / "launch/grasp_run.launch.py")
    found = subprocess.run([*LAUNCH, file, "robot:=toy"], capture_output=True, text=True)
    assert found.returncode != 0
    assert "toy" in found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def test_the_twin_starts_and_ends_on_ctrl_c() -> None:
    environment = {**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")}
    command = [*LAUNCH, str(ROOT / "launch/twin.launch.py"), "camera_rate:=5.0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = ""
        while not ("the twin is up" in said and "beside the twin" in said):
            said += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("grasp_run", ()),
        ("grasp_finetune", ("finetune", "scoreboard")),
        ("collect_demos", ("teleop",)),
    ],
)
def test_a_cell_starts_and_ends_on_ctrl_c(tmp_path: Path, file: str, more: tuple[str, ...]) -> None:
    said = tmp_path / "said"
    with live(tmp_path, said, file) as cell:
        until(lambda: cell.watcher.there(*NODES, *more), START_S)
    assert cell.process.returncode == 0, said.read_text()
    assert "Traceback" not in said.read_text()


def test_a_camera_that_is_not_there_is_named_and_looked_for_again() -> None:
    """Without the library, or with it and without a camera: either way it says which."""
    command = [
        *LAUNCH, str(ROOT / "launch/bringup_real.launch.py"), f"cell:={TWIN}",
        f"front_serial:={SERIAL}",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        while not (SERIAL in said or "process has died" in said):
            said += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
    assert process.returncode == 0, said
    assert SERIAL in said or "pip install" in said
    assert "Traceback" not in said

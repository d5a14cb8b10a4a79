"""The launch files: what they may be told, that they start, and that they end as they should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "launch").glob("*.launch.py"))
COMMAND = [sys.executable, "-m", "rosless", "launch"]


def test_they_are_all_there() -> None:
    names = {file.name.removesuffix(".launch.py") for file in FILES}
    assert names == {
        "bringup_real", "calibrate", "collect_demos", "grasp_finetune", "grasp_run", "twin",
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_arguments_are_described(file: Path) -> None:
    found = subprocess.run(
        [*COMMAND, str(file), "--show-args"], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    names = [k for k, line in enumerate(lines) if line.startswith("    '")]
    assert names
    for k in names:
        assert "no description" not in lines[k + 1].lower()


def test_a_wrong_choice_is_refused() -> None:
    file = str(ROOT / "launch/grasp_run.launch.py")
    found = subprocess.run([*COMMAND, file, "robot:=toy"], capture_output=True, text=True)
    assert found.returncode != 0
    assert "toy" in found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def test_the_twin_starts_and_ends_on_ctrl_c() -> None:
    environment = {**os.environ, "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")}
    command = [*COMMAND, str(ROOT / "launch/twin.launch.py"), "camera_rate:=5.0"]
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

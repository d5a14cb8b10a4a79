"""Off-screen drawing is tried, not assumed."""

from __future__ import annotations

import os
import subprocess
import sys


def check(backend: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim.gl"],
        env={**os.environ, "MUJOCO_GL": backend},
        capture_output=True,
        text=True,
        check=False,
    )


def test_this_machine_draws() -> None:
    done = check("egl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MUJOCO_GL=egl: draws" in done.stdout


def test_what_cannot_draw_is_named_with_its_remedy() -> None:
    done = check("crayons")
    assert done.returncode == 1
    assert "MUJOCO_GL=crayons: found" in done.stdout
    assert "set MUJOCO_GL=egl" in done.stdout

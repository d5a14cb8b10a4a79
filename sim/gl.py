"""Make sure MuJoCo can draw without a screen: `python -m sim.gl [--install]`.

MUJOCO_GL names the backend: `egl` (a GPU's driver, or Mesa on the CPU) or `osmesa` (CPU). The test
is to draw a frame, in a process of its own, because a missing library surfaces only then and a
backend cannot be changed once MuJoCo is imported.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

PACKAGES = {"egl": ["libegl1", "libgl1", "libgl1-mesa-dri"], "osmesa": ["libosmesa6"]}

DRAW = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><light pos="0 0 3"/><geom size=".1" rgba="1 1 1 1"/></worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    assert renderer.render().max() > 0, "the frame is black"
"""


def failure(backend: str) -> str | None:
    """Why `backend` cannot draw, or None if it can."""
    command = [sys.executable, "-c", DRAW]
    environment = {**os.environ, "MUJOCO_GL": backend}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return "no frame within two minutes"
    said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}, silently"]
    return None if done.returncode == 0 else said[-1]


def install(packages: list[str]) -> bool:
    """Install with apt-get if this user may; True if it went through."""
    if shutil.which("apt-get") is None:
        return False
    root: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            return False
        root = ["sudo", "-n"]
        if subprocess.run([*root, "true"], capture_output=True, check=False).returncode != 0:
            return False
    steps = (["update"], ["install", "-y", "--no-install-recommends", *packages])
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in steps:
        command = [*root, "apt-get", "-qq", *step]
        # Its errors are shown, its two hundred lines of progress are not.
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--install", action="store_true", help="install what is missing, if allowed"
    )
    may_install = parser.parse_args().install
    backend = os.environ.get("MUJOCO_GL", "egl")
    packages = PACKAGES.get(backend, [])
    reason = failure(backend)
    if reason and may_install and packages:
        missing = " ".join(packages)
        print(f"MUJOCO_GL={backend} cannot draw ({reason}): installing {missing}", flush=True)
        install(packages)
        reason = failure(backend)
    if reason:
        remedy = f"sudo apt-get install {' '.join(packages)}" if packages else "set MUJOCO_GL=egl"
        print(f"MUJOCO_GL={backend}: found {reason!r}, wanted a drawn frame; {remedy}")
        return 1
    print(f"MUJOCO_GL={backend}: draws")
    return 0


if __name__ == "__main__":
    sys.exit(main())

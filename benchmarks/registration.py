"""How exactly is a camera found by the bin alone, without a board?

    python -m benchmarks.registration [--seeds 5]

In each room of the twin, whose cameras are some 20 mm, 1 degree and 2 % of focal length off the
cell file, with 6 to 10 things in the bin: the wrist's from 32 depth frames of 7 s of motion (and
from one), the front camera from 5 pictures, with the focal length as in the data sheet, and with it
measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import machine
from calibration.cell import Camera
from calibration.geometry import down
from calibration.registration import Registration
from calibration.rigid import turn_of, turned
from calibration.rim_depth import register_depth
from calibration.rim_picture import register_picture
from calibration.track import Track
from policy.contract import Invalid
from sim.objects import quaternion
from sim.parameters import View
from sim.presets import PRESETS
from sim.twin import FeedConfig, Frame, Twin, TwinConfig

RESULT = Path(__file__).with_name("results") / "registration.json"
AXES = np.diag([1.0, -1.0, -1.0])  # from MuJoCo's axes to the optical frame's
FRAMES, PICTURES = 32, 5
Array = npt.NDArray[np.float64]


def wrist_frames(twin: Twin, seed: int) -> tuple[list[Array], list[tuple[Array, Array]]]:
    """While the hand goes from one place over the bin to another; and where it was."""
    random, space = np.random.default_rng(seed), twin.cell.workspace
    low, high = np.array(space.low.value), np.array(space.high.value)
    frames: list[Frame] = []
    with twin.cameras["wrist"].subscribe(1000) as camera, twin.arm.states.subscribe(1 << 14) as arm:
        while len(frames) < FRAMES:
            w, x, y, z = quaternion(down(float(random.uniform(-1.2, 1.2))))
            twin.arm.pose(random.uniform((*low[:2], 0.12), high), (x, y, z, w))
            twin.advance(1.5)
            frames += camera.drain()
        states = arm.drain()
    track = Track(
        [state.stamp_ns for state in states],
        [state.tcp_position for state in states],
        [state.tcp_orientation for state in states],
    )
    known = [f for f in frames if f.depth is not None and track.covers(f.captured_ns)][:FRAMES]
    metres = [f.depth / 1000.0 for f in known if f.depth is not None]
    return metres, [track.at(f.captured_ns) for f in known]


def front_pictures(twin: Twin) -> list[npt.NDArray[np.uint8]]:
    with twin.cameras["front"].subscribe(100) as camera:
        twin.advance(PICTURES / 5 + 0.3)
        return [f.picture for f in camera.drain() if f.picture is not None][:PICTURES]


def error(found: Registration, view: View) -> dict[str, float]:
    shift = found.shift - np.array(view.shift)
    turn = turn_of(turned(AXES @ np.array(view.turn)).T @ turned(found.turn))
    sigma = np.sqrt(np.diag(found.covariance))
    return {
        "mm": 1e3 * float(np.linalg.norm(shift)),
        "degrees": float(np.degrees(np.linalg.norm(turn))),
        "zoom_percent": 100 * abs(found.zoom / view.zoom - 1),
        "largest_deviation": float(np.abs(np.concatenate([shift, turn]) / sigma).max()),
    }


def measured(camera: Camera, zoom: float) -> Camera:
    """With the focal length that the room's camera has, within a third of a pixel."""
    width, height = (f * zoom for f in camera.focal.value)
    focal = replace(camera.focal, value=(width, height), method="board", residual=0.3)
    return replace(camera, focal=focal)


def room(name: str, seed: int) -> dict[str, dict[str, float]]:
    config = TwinConfig(
        mode="lockstep", preset=name, seed=seed, cameras=("wrist_depth", "front"),
        feed=FeedConfig(rate=5.0),
    )  # fmt: skip
    with Twin(config=config) as twin:
        cell, views = twin.cell, twin.truth().parameters.views
        pictures = front_pictures(twin)
        frames, poses = wrist_frames(twin, seed)
    wrist, front = cell.cameras["wrist"], cell.cameras["front"]
    exact = measured(front, views["front"].zoom)
    known = replace(views["front"], zoom=1.0)
    found = {
        "off": {
            "mm": 1e3 * float(np.linalg.norm(views["wrist"].shift)),
            "degrees": float(np.degrees(np.linalg.norm(views["wrist"].turn))),
        },
        "wrist": error(register_depth(frames, poses, wrist, cell.bin), views["wrist"]),
        "front": error(register_picture(pictures, front, cell.bin), views["front"]),
        "front, focal measured": error(register_picture(pictures, exact, cell.bin), known),
    }
    one = single(frames, poses, wrist, cell.bin, views["wrist"])
    return found | ({"wrist, one frame": one} if one else {})


def single(
    frames: Sequence[Array], poses: Sequence[tuple[Array, Array]], camera: Camera, box: Any,
    view: View,
) -> dict[str, float]:  # fmt: skip
    """Of a frame taken high over the bin; low ones show too little of it."""
    highest = max(range(len(poses)), key=lambda k: poses[k][0][2])
    try:
        return error(register_depth([frames[highest]], [poses[highest]], camera, box), view)
    except Invalid:
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    started, rooms = time.time(), {}
    for name in sorted(PRESETS):
        rooms[name] = [room(name, seed) for seed in range(1, given.seeds + 1)]
        for told in rooms[name]:
            print(name, json.dumps(told), flush=True)
    result = {
        "command": f"python -m benchmarks.registration --seeds {given.seeds}",
        "machine": machine(["mujoco", "numpy", "opencv-python-headless"]),
        "minutes": round((time.time() - started) / 60, 1),
        "rooms": rooms,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

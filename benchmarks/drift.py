"""How soon and how surely does the drift watch notice a camera that moved?

    python -m benchmarks.drift [--cells 50] [--frames 1000]

For either camera: in each cell it stands where its (hidden) file has it, then is knocked by 3 mm in
a random direction, or by 0.5 degrees about a random axis. Meanwhile the arm grasps, things lie
elsewhere in each episode, and nothing else tells the watch. And 1,000 frames in which nothing
moves. The fixed camera by single pictures and the bin's edges in them, the hand's by single frames
of depth and where the arm was then; no board.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import machine
from calibration.cell import Camera
from calibration.drift import Drift, DriftWatch
from calibration.geometry import rotation
from calibration.registration import Registration
from calibration.rigid import placed, rigid, turned
from calibration.rim_depth import register_depth
from calibration.rim_picture import register_picture
from policy.contract import Invalid
from sim.camera import Drawer
from sim.config import SceneConfig
from sim.depth import DepthEye
from sim.env import BinGrasp
from sim.frames import Frames
from sim.parameters import Imaging, Parameters, View
from sim.presets import PRESETS, episode
from sim.rollout import script

RESULT = Path(__file__).with_name("results") / "drift.json"
Array = npt.NDArray[np.float64]
ROOMS = (None, *sorted(PRESETS))
MEMORY = 40
CALM = 10  # frames more after a knock, when the watch's memory is full of it
EVERY = 6  # steps between pictures: things lie elsewhere in every other one
KNOCKS = {"shift": 0.003, "turn": math.radians(0.5)}
AXES = np.diag([1.0, -1.0, -1.0])  # from the optical frame to MuJoCo's


def calibrated(camera: Camera, view: View, imaging: Imaging) -> Camera:
    """As a good calibration of that room would have it in the cell file."""
    camera = replace(camera, noise=replace(camera.noise, value=imaging.noise))
    at = np.array(camera.pose.position.value) + np.array(view.shift)
    turn = rotation(camera.pose.orientation.value) @ turned(AXES @ np.array(view.turn))
    width, height = (f * view.zoom for f in camera.focal.value)
    measured = replace(camera.focal, value=(width, height), method="board", residual=0.3)
    return replace(camera, pose=placed(camera.pose, rigid(turn, at)), focal=measured)


class Looker:
    """What each camera tells of its place, in a room where somebody grasps."""

    def __init__(self) -> None:
        cameras = ("front", "wrist_depth")
        self.env = env = BinGrasp(cameras=cameras, size=16, scene=SceneConfig(shadows=512))
        env.reset(seed=0)
        self._frames, camera = Frames(env), env.cell.cameras["wrist"]
        size = (camera.height, camera.width)
        self._depth = DepthEye("wrist_depth", camera, size, (0, 0, *size), "wrist")
        self._drawer, self._random = Drawer.shared(env.world.model), np.random.default_rng(0)

    def front(self, camera: Camera) -> Registration:
        return register_picture([self._frames.take()], camera, self.env.cell.bin, near=True)

    def wrist(self, camera: Camera) -> Registration:
        """By one frame of depth, and where the arm was then."""
        env, world = self.env, self.env.world
        assert env.parameters is not None
        self._depth.aim(world.model, env.parameters.views["wrist"].zoom)
        metres = self._drawer.depth(world.data, "wrist", self._depth.size)
        measured = self._depth.measure(metres, env.parameters.imaging["wrist"], self._random)
        pose = world.kinematics.pose(world.angles)
        return register_depth([measured], [pose], camera, env.cell.bin)

    def close(self) -> None:
        self._drawer.close()
        self._frames.close()
        self.env.close()


class Watched:
    """One camera in one room, and the watch over it."""

    def __init__(self, looker: Looker, camera: str, room: str | None, seed: int) -> None:
        self._looker, self._env, self.name, self.room = looker, looker.env, camera, room
        self._seed, self._first = seed, episode(room, looker.env.cell, seed)
        self.view = self._first.views[camera]
        self._camera = calibrated(
            self._env.cell.cameras[camera], self.view, self._first.imaging[camera]
        )
        self._moments = self._grasping()
        self.watch = DriftWatch(memory=MEMORY)
        self.hidden = 0  # pictures in which too little of the bin was seen

    def _parameters(self, seed: int) -> Parameters:
        """Other things, in the same room."""
        drawn = episode(self.room, self._env.cell, seed)
        return replace(drawn, views=self._first.views | {self.name: self.view})

    def _grasping(self) -> Iterator[None]:
        env, seed = self._env, 1000 * self._seed
        while True:
            env.reset(seed=seed, options={"parameters": self._parameters(seed)})
            actor, done, step = script("scripted", env, seed), False, 0
            actor.reset()
            while not done:
                *_, terminated, truncated, _ = env.step(actor.act())
                done, step = terminated or truncated, step + 1
                if step % EVERY == 0:
                    env.dress(self._parameters(seed))
                    env.world.refresh()  # cameras that stand still are not computed again
                    yield
            seed += 1

    def see(self) -> Drift:
        while True:
            next(self._moments)
            try:
                return self.watch.see(getattr(self._looker, self.name)(self._camera))
            except Invalid:  # the arm hides the bin, or is too near: the next will do
                self.hidden += 1

    def knock(self, kind: str, random: np.random.Generator) -> None:
        way = random.normal(size=3)
        way *= KNOCKS[kind] / np.linalg.norm(way)
        old = self.view
        x, y, z = (float(v) for v in np.array(getattr(old, kind)) + way)
        self.view = (
            replace(old, shift=(x, y, z)) if kind == "shift" else replace(old, turn=(x, y, z))
        )


def noticed(watched: Watched, kind: str, random: np.random.Generator) -> dict[str, Any]:
    """After the reference was taken and a while of calm: a knock, and what the watch said."""
    calm = [watched.see() for _ in range(2 * MEMORY)]
    watched.knock(kind, random)
    after = [watched.see() for _ in range(MEMORY + CALM)]
    said = [k for k, drift in enumerate(after) if drift.moved]
    return {
        "camera": watched.name,
        "room": watched.room or "as measured",
        "kind": kind,
        "false_alarms": sum(drift.moved for drift in calm),
        "noticed_after": said[0] + 1 if said else None,
        "told_mm": round(1e3 * after[-1].distance, 2),
        "told_deg": round(math.degrees(after[-1].angle), 3),
    }


def undisturbed(watched: Watched, frames: int) -> dict[str, Any]:
    drifts = [watched.see() for _ in range(2 * MEMORY - 1 + frames)]
    ready = [drift for drift in drifts if drift.ready]
    return {
        "camera": watched.name,
        "room": watched.room or "as measured",
        "frames": len(ready),
        "hidden": watched.hidden,
        "alarms": sum(drift.moved for drift in ready),
        "farthest_mm": round(max(1e3 * drift.distance for drift in ready), 2),
        "farthest_deg": round(max(math.degrees(drift.angle) for drift in ready), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--frames", type=int, default=1000)
    given = parser.parse_args()
    command = f"python -m benchmarks.drift --cells {given.cells} --frames {given.frames}"
    looker, knocked, calm = Looker(), list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(max(given.cells, len(ROOMS))):
        for camera in ("front", "wrist"):
            room = ROOMS[number % len(ROOMS)]
            if number < len(ROOMS):
                watched = Watched(looker, camera, room, 500 + number)
                calm.append(undisturbed(watched, given.frames // len(ROOMS)))
                print(json.dumps(calm[-1]), flush=True)
            if number < given.cells:
                kind = tuple(KNOCKS)[number // len(ROOMS) % 2]
                watched = Watched(looker, camera, room, number + 1)
                knocked.append(noticed(watched, kind, np.random.default_rng([number, 7])))
                print(number, json.dumps(knocked[-1]), flush=True)
        save(command, knocked, calm)
    looker.close()


def save(command: str, knocked: list[dict[str, Any]], calm: list[dict[str, Any]]) -> None:
    """What is there so far: the study takes long."""
    result = {
        "command": command,
        "machine": machine(["mujoco", "numpy", "opencv-python-headless"]),
        "knocks": len(knocked),
        "noticed": sum(told["noticed_after"] is not None for told in knocked),
        "calm_frames": sum(told["frames"] for told in calm),
        "false_alarms_in_calm_frames": sum(told["alarms"] for told in calm),
        "false_alarms_before_knocks": sum(told["false_alarms"] for told in knocked),
        "knocked": knocked,
        "calm": calm,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

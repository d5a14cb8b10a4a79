"""regrasp/BinGrasp-v0: QT-Opt's task, one grasp from a bin, closed loop, sparse reward.

An action displaces the TCP in the base frame, turns it about the vertical, closes or opens the
gripper, or ends the episode. Success is an object held above a height when the episode ends,
judged from contacts and poses, never from the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from calibration import Cell, load_cell
from calibration.geometry import view_of
from policy.contract import Deployment, Invalid, Preprocessing, encode

from . import presets
from .appearance import Appearance
from .arm import CartesianArm
from .bin import fill, local
from .camera import Crop, Drawer
from .config import OFF, GraspConfig, ObjectConfig, RandomConfig, SceneConfig, given
from .depth import DepthEye
from .eye import Eye
from .parameters import Parameters
from .randomize import sample, things_of
from .world import World

TWIN = Path(__file__).resolve().parents[1] / "calibration/cells/twin.yaml"
Observation = dict[str, Any]
FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


class BinGrasp(gymnasium.Env[Observation, FloatArray]):
    """`randomize=None` is the cell as measured, or with `room` in that of presets.py, where an
    episode's seed is the room's; `reset(options={"scale": s})` widens or narrows the randomisation
    for one episode, `{"parameters": p}` plays a recorded one again, and `{"start": (place, yaw)}`
    says where the TCP begins. Configurations may also be plain dicts of what differs from the
    defaults."""

    # gymnasium reads the class's before it makes an instance, whose cell knows the rate.
    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012

    def __init__(
        self,
        cell: Cell | str | Path = TWIN,
        size: int = 64,
        cameras: tuple[str, ...] = ("front",),
        crops: dict[str, Crop] | None = None,
        randomize: RandomConfig | Mapping[str, Any] | None = None,
        objects: ObjectConfig | Mapping[str, Any] | None = None,
        grasp: GraspConfig | Mapping[str, Any] | None = None,
        scene: SceneConfig | Mapping[str, Any] | None = None,
        render_mode: str | None = "rgb_array",
        room: str | None = None,
    ) -> None:
        if room is not None and randomize is not None:
            wanted, remedy = "None in a room", "name a room, or randomise: a room is as it is"
            raise Invalid("randomize", randomize, wanted, remedy)
        self.room = room
        self.cell = cell if isinstance(cell, Cell) else load_cell(Path(cell))
        self.randomize = OFF if randomize is None else given(RandomConfig, randomize, "randomize")
        self.objects = given(ObjectConfig, objects, "objects")
        self.grasp = given(GraspConfig, grasp, "grasp")
        scene = given(SceneConfig, scene, "scene")
        self.render_mode = render_mode
        if self.objects.count[0] > scene.objects:
            wanted = f"{scene.objects} at most (scene.objects)"
            raise Invalid("objects.count", self.objects.count, wanted, "raise scene.objects")
        if not 8 <= size <= scene.largest_picture:
            wanted = f"8 to {scene.largest_picture} px (scene.largest_picture)"
            raise Invalid("size", size, wanted, "draw another size")
        offered = self.cell.interface(cameras, self.grasp.action_window)
        chosen = crops or {}
        self.eyes = [self._eye(name, (size, size), chosen.get(name)) for name in cameras]
        steps = tuple(
            Preprocessing(eye.name, eye.crop, eye.size, "nearest" if image.depth else "area")
            for eye, image in zip(self.eyes, offered.observation.images, strict=True)
        )
        views = tuple(view_of(eye.camera, eye.name, self.cell.bin) for eye in self.eyes)
        self.deployment = Deployment(self.cell.id, offered, steps, views)
        self.interface = self.deployment.seen
        self.world = World(self.cell, scene)
        self.arm = CartesianArm(self.world)
        self._appearance = Appearance(self.world)
        self.drawer: Drawer | None = None
        self._shadows = scene.shadows > 0
        self._period = self.cell.control.period.value
        self.metadata = {**self.metadata, "render_fps": round(1 / self._period)}
        self.parameters: Parameters | None = None
        self._spaces()

    def _eye(self, name: str, size: tuple[int, int], crop: Crop | None) -> Eye:
        source = self.cell.camera_of(name)
        kind = Eye if name == source else DepthEye
        return kind(name, self.cell.cameras[source], size, crop, source)

    def _spaces(self) -> None:
        spec, action = self.interface.observation, self.interface.action
        low = np.array([entry.low for entry in spec.proprio], np.float32)
        high = np.array([entry.high for entry in spec.proprio], np.float32)
        self._proprio_range = (low, high)
        window = (spec.action_window, 1)
        parts: dict[str, spaces.Space[Any]] = {
            image.name: spaces.Box(0, 255, image.shape, np.uint8) for image in spec.images
        }
        parts["proprio"] = spaces.Box(low, high, dtype=np.float32)
        parts["actions"] = spaces.Box(
            np.minimum(np.tile(action.low, window), 0),
            np.tile(action.high, window),
            dtype=np.float32,
        )
        self.observation_space = spaces.Dict(parts)
        self.action_space = spaces.Box(action.low, action.high, dtype=np.float32)

    # Episode ------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        options = options or {}
        for name in options.keys() - {"scale", "parameters", "start"}:
            raise Invalid("options", name, "scale, parameters or start", "correct its name")
        # Of their own: what is drawn here changes nothing of where the arm and the things start,
        # and what happens on the way, however long it is, nothing of the next episode.
        random = np.random.default_rng(self.np_random.integers(1 << 62))
        [self._noise] = random.spawn(1)
        if "parameters" in options:
            parameters = given(Parameters, options["parameters"], "options")
        else:
            parameters = self._draw(random, options.get("scale", self.randomize.scale), seed)
        self.parameters = parameters
        if len(parameters.things) > self.world.config.objects:
            found, wanted = len(parameters.things), f"{self.world.config.objects} at most"
            raise Invalid("options.parameters.things", found, wanted, "raise scene.objects")
        place, yaw = options.get("start") or self._start()
        self.arm.reset(place, yaw, parameters)  # before what else is placed: it clears the data
        self.dress(parameters)
        fill(self.world, parameters.things, self.np_random)
        window = (self.grasp.action_window, len(self.interface.action))
        self._history = np.zeros(window, np.float32)
        self._taken = 0
        return self._observe(self._look()), self._info()

    def _draw(self, random: np.random.Generator, scale: float, seed: int | None) -> Parameters:
        slots = self.world.config
        if self.room is not None:
            number = int(random.integers(1 << 31)) if seed is None else seed
            return presets.episode(self.room, self.cell, number, self.objects, slots.objects)
        things = things_of(self.objects, slots.objects, random)
        config, surfaces = self.randomize.scaled(scale), len(self._appearance.surfaces)
        return sample(self.cell, config, things, random, slots.distractors, surfaces)

    def dress(self, parameters: Parameters) -> None:
        """Give the world this look, and the cameras these errors."""
        self._appearance.paint(parameters.look)
        for eye in self.eyes:
            view = parameters.views[eye.camera_name]
            self._appearance.view(eye.camera_name, view)
            eye.aim(self.world.model, view.zoom)

    def _start(self) -> tuple[Array, float]:
        """Above the bin, at the workspace's top, not always the same."""
        space, random = self.cell.workspace, self.np_random
        low, high = np.array(space.low.value), np.array(space.high.value)
        middle, half = (low + high) / 2, (high - low) / 2
        place = middle[:2] + 0.4 * half[:2] * random.uniform(-1, 1, 2)
        turn = 0.25 * random.uniform(*space.yaw.value)
        return np.array([*place, high[2]]), float(turn)

    def step(self, action: FloatArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        if self.parameters is None:
            raise RuntimeError("step before reset: call reset first")
        executed = self.interface.action.executed(np.asarray(action, np.float32))
        timing = self.parameters.timing
        period = self._period
        if timing.period_jitter:
            shift = self._noise.normal(0, timing.period_jitter)
            period = float(np.clip(period + shift, 0.7 * period, 1.3 * period))
        dx, dy, dz, dyaw, close, open_, terminate = (float(v) for v in executed)
        self.arm.displace(np.array([dx, dy, dz]), dyaw, self._period, timing.command)
        if close != open_:  # both at once say nothing
            self.world.grip(0.0 if close else self.world.opening, timing.gripper)
        age = min(timing.camera, period)
        self.world.advance(period - age)
        pictures = self._look()
        self.world.advance(age)
        self._taken += 1
        self._history = np.vstack([self._history, executed])[1:]
        limit = self._taken >= self.grasp.max_steps
        success = (bool(terminate) or limit) and self.success()
        # What has been judged and paid is over: no value is to be learnt beyond it.
        terminated = bool(terminate) or success
        truncated = limit and not terminated
        reward = float(success) - self.grasp.step_penalty
        info = self._info()
        info["success"] = success
        return self._observe(pictures), reward, terminated, truncated, info

    def success(self) -> bool:
        """An object between the pads, touching nothing else of the cell, above the height."""
        held = self.world.held()
        return held is not None and self._heights()[held] >= self.grasp.success_height

    def _heights(self) -> Array:
        return local(self.cell.bin, self.world.poses()[0])[:, 2]

    # What is seen, what is known ----------------------------------------------------------------

    def _look(self) -> dict[str, npt.NDArray[np.uint8]]:
        assert self.parameters is not None
        self.captured = self.world.time
        if not self.eyes:
            return {}
        if self.drawer is None:
            self.drawer = Drawer.shared(self.world.model)
        drawer, data, imaging = self.drawer, self.world.data, self.parameters.imaging
        return {
            eye.name: eye.see(drawer, data, imaging[eye.camera_name], self._noise, self._shadows)
            for eye in self.eyes
        }

    def _observe(self, pictures: dict[str, npt.NDArray[np.uint8]]) -> Observation:
        place, yaw = self.arm.reported()
        x, y, z = place
        height = z - self.cell.bin.centre.value[2]
        proprio = np.array([self.world.aperture, x, y, height, yaw], np.float32)
        self._last = pictures
        return {
            **pictures,
            "proprio": np.clip(proprio, *self._proprio_range),
            "actions": self._history.copy(),
        }

    def _info(self) -> dict[str, Any]:
        """Privileged: what no camera tells. `success` counts at an episode's end. Poses have a
        row a slot, so that episodes of many worlds stack; the first `objects` of them count."""
        place, yaw = self.world.tcp
        poses = np.zeros((self.world.config.objects, 7))
        poses[: len(self.world.things)] = np.hstack(self.world.poses())
        held = self.world.held()
        return {
            "success": False,
            "steps": self._taken,
            "time": self.world.time,
            "objects": len(self.world.things),
            "tcp_position": place,
            "tcp_yaw": yaw,
            "object_positions": poses[:, :3],
            "object_quaternions": poses[:, 3:],
            "held": -1 if held is None else held,
        }

    def recorded_parameters(self) -> dict[str, Any]:
        """For the episode's log."""
        found: dict[str, Any] = encode(self.parameters)
        return found

    def render(self) -> npt.NDArray[np.uint8]:
        """The last observed picture of the first camera."""
        return self._last[self.eyes[0].name]

    def close(self) -> None:
        if self.drawer is not None:
            self.drawer.close()
            self.drawer = None

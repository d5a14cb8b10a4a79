"""A scripted operator, who stands in for the person at the gamepad: sees where things are, but a
step late, and steers with a trembling hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from regrasp_nodes.guard.limits import CLOSE, TERMINATE

from benchmarks.driven import Driven
from sim.config import SceneConfig
from sim.grasps import Grasp, plan
from sim.twin import Truth
from sim.world import World

FloatArray = npt.NDArray[np.float32]
TREMBLE = 0.003, 0.03  # m, rad
CLOSING = 5  # steps that fingers are given


class StandIn:
    """Takes over at step `since`, drives for `steps`, and lets go."""

    def __init__(self, cell: Driven, since: int, steps: int, seed: int = 0) -> None:
        self._cell, self._since, self._until = cell, since, since + steps
        self._random = np.random.default_rng(seed)
        self._model = World(cell.cell, SceneConfig(shadows=0, distractors=0))
        self._spec = cell.cell.interface(["front"]).action

    def __call__(self, index: int) -> FloatArray | None:
        if index == 0:
            self._grasp: Grasp | None = None
            self._closed = 0
            self._seen: Truth | None = None
        before, self._seen = self._seen, self._cell.twin.truth()
        if before is None or not self._since <= index < self._until:
            return None
        if self._grasp is None:
            things = before.parameters.things
            self._model.place(things, before.object_positions, before.object_quaternions)
            self._grasp = plan(self._model, before.tcp_position, before.tcp_yaw)
        if self._grasp is None:
            return self._wanting(np.zeros(3), 0.0)
        return self._towards(self._grasp)

    def _towards(self, grasp: Grasp) -> FloatArray:
        # Where the own last push leads: nobody steers by where the arm lags behind.
        pose, high = self._cell.guard.commanded(), self._cell.cell.workspace.high.value[2]
        if self._closed:
            self._closed += 1
            if self._closed < CLOSING:
                return self._wanting(np.zeros(3), 0.0)
            done = pose[2] > high - 0.1
            return self._wanting(np.array([0, 0, 0.04]), 0.0, **{TERMINATE: float(done)})
        way, turn = grasp.place - pose[:3], grasp.yaw - pose[3]
        if np.hypot(*way[:2]) > 0.012 or abs(turn) > 0.15:
            way[2] = max(grasp.clear, grasp.place[2]) - pose[2]
        elif abs(way[2]) < 0.008:
            self._closed = 1
            return self._wanting(way, turn, **{CLOSE: 1.0})
        return self._wanting(way, turn)

    def _wanting(self, by: npt.NDArray[np.float64], turn: float, **switches: float) -> FloatArray:
        shaken = by + self._random.normal(0, TREMBLE[0], 3)
        parts = {
            **dict(zip(("dx", "dy", "dz"), shaken, strict=True)),
            "dyaw": turn + self._random.normal(0, TREMBLE[1]), **switches,
        }  # fmt: skip
        action = np.array([parts.get(name, 0.0) for name in self._spec.names])
        wanted: FloatArray = np.clip(action, self._spec.low, self._spec.high).astype(np.float32)
        return wanted

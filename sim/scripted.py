"""Who acts before anything is learnt: QT-Opt's biased random policy, and a near-expert.

The scripted policy needs no more than a robot has: its own pose, and now and then a rough idea of
where something lies, which here comes from the simulator. The near-expert reads the simulator's
state; it gives demonstrations and stands in for a person's corrections.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .env import BinGrasp
from .grasps import Grasp, plan

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
EMPTY = 0.003  # m: nothing is between the fingers
NEAR = 0.02  # m, standard deviation
STRAY = 0.25  # how often a step does


def _action(
    env: BinGrasp,
    by: Array,
    turn: float,
    close: bool = False,
    open_: bool = False,
    stop: bool = False,
) -> FloatArray:
    raw = np.array([*by, turn, close, open_, stop], np.float32)
    return env.interface.action.executed(raw)


class Scripted:
    """Go down somewhere, close, lift, stop; with some noise at every step. Fingers that meet each
    other tell of a miss: it opens them, and tries elsewhere for as long as there is time.

    Blind, it succeeds about one time in ten. `bias` is how often it aims near a thing instead of
    anywhere, as clumsily (`NEAR`) as a blob in a depth image would tell it.
    """

    def __init__(self, env: BinGrasp, random: np.random.Generator, bias: float = 0.7) -> None:
        self._env, self._random, self._bias = env, random, bias

    def reset(self) -> None:
        space, random = self._env.cell.workspace, self._random
        low, high = np.array(space.low.value), np.array(space.high.value)
        if random.random() < self._bias:
            things = self._env.world.poses()[0][:, :2]
            spot = things[random.integers(len(things))] + random.normal(0, NEAR, 2)
        else:
            spot = random.uniform(low[:2], high[:2])
        height = low[2] + random.uniform(0.0, 0.015)
        self._goal = np.array([*np.clip(spot, low[:2], high[:2]), height])
        self._yaw = random.uniform(*space.yaw.value)
        self._lift = random.uniform(0.13, 0.18)
        self._closed, self._patience = 0, random.integers(3, 6)

    def act(self) -> FloatArray:
        env, random = self._env, self._random
        place, still = env.arm.place, np.zeros(3)
        # Now and then it strays, and comes back: who learns from it sees what other moves do than
        # those that lead straight on.
        stray = random.random() < STRAY
        noise = random.normal(0, 0.02 if stray else 0.003, 3)
        twist = random.normal(0, 0.15) if stray else 0.0
        if not self._closed:
            way = self._goal - place
            if np.abs(way).max() < 0.012:
                self._closed = 1
                return _action(env, still, 0.0, close=True)
            return _action(env, way + noise, self._yaw - env.arm.yaw + twist)
        self._closed += 1
        if self._closed <= self._patience:  # a gripper takes its time
            return _action(env, noise, twist)
        up = np.array([0, 0, env.cell.control.max_step.value])
        if env.world.aperture < EMPTY:
            self.reset()
            return _action(env, up + noise, twist, open_=True)
        if place[2] < self._lift:
            return _action(env, up + noise, twist)
        return _action(env, still, 0.0, stop=True)


class Expert:
    """Plans on the objects' true shapes and poses, goes there, closes, lifts; plans again after a
    miss for as long as there is time."""

    def __init__(self, env: BinGrasp) -> None:
        self._env = env

    def reset(self) -> None:
        self._grasp: Grasp | None = None
        self._closed = 0

    def _moved(self) -> bool:
        """The thing aimed at has rolled on, or was pushed."""
        if self._grasp is None or self._closed:
            return False
        now = self._env.world.poses()[0][self._grasp.thing]
        return bool(np.abs(now - self._grasp.centre).max() > 0.005)

    def act(self) -> FloatArray:
        env = self._env
        if self._grasp is None or self._moved():
            self._grasp = plan(env.world, env.arm.place, env.arm.yaw)
            if self._grasp is None:
                return _action(env, np.zeros(3), 0.0)
        grasp, place = self._grasp, env.arm.place
        if not self._closed:
            way = grasp.place - place
            turn = _turn(env.arm.yaw, grasp.yaw, env.cell.workspace.yaw.value)
            far = float(np.hypot(*way[:2]))
            if far > 0.012 or abs(turn) > 0.15:
                # Stay above everything until over the spot.
                way[2] = max(grasp.clear, grasp.place[2]) - place[2]
            elif way[2] > -0.015:  # the fingers arrive before they touch
                self._closed = 1
                return _action(env, way, turn, close=True)
            return _action(env, way, turn)
        self._closed += 1
        if env.world.aperture < EMPTY:
            self.reset()
            return _action(env, np.array([0, 0, 0.04]), 0.0, open_=True)
        if env.world.grip_force < 0.5 * env.cell.gripper.force.value and self._closed < 8:
            return _action(env, np.zeros(3), 0.0)  # still closing
        if env.success():
            return _action(env, np.zeros(3), 0.0, stop=True)
        return _action(env, np.array([0, 0, env.cell.control.max_step.value]), 0.0)


def _turn(yaw: float, goal: float, limits: tuple[float, float]) -> float:
    """The smaller way to the goal or, since two equal fingers are the same after half a turn, to
    its opposite; within the limits."""
    same = [g for g in (goal - math.pi, goal, goal + math.pi) if limits[0] <= g <= limits[1]]
    return min((g - yaw for g in same), key=abs)

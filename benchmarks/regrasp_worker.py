"""regrasp's bin grasp: `python -m benchmarks.regrasp_worker SIZE SHADOWS`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import gymnasium

import sim  # noqa: F401 - registers the task
from benchmarks.harness import serve, share
from sim.camera import Drawer
from sim.config import SceneConfig


def main() -> None:
    size, shadows = map(int, sys.argv[1:])
    scene = SceneConfig(shadows=shadows, multisamples=0)
    env: gymnasium.Env[Any, Any] = gymnasium.make("regrasp/BinGrasp-v0", size=size, scene=scene)
    world = env.unwrapped.world  # type: ignore[attr-defined]
    env.action_space.seed(0)

    def act() -> Any:
        action = env.action_space.sample()
        action[-1] = 0.0  # a random stop would end every second episode at its first step
        return action

    def step() -> None:
        *_, terminated, truncated, _ = env.step(act())
        if terminated or truncated:
            env.reset()

    env.reset(seed=0)
    started = world.time
    env.step(act())
    period, timestep = world.time - started, scene.timestep
    serve(
        step,
        period_s=period,
        substeps=round(period / timestep),
        timestep_s=timestep,
        shadow_lights=int(world.model.light_castshadow.sum()) if shadows else 0,
        versions={name: version(name) for name in ("mujoco", "numpy")},
        drawing=share(step, Drawer, "draw"),
    )
    env.close()


if __name__ == "__main__":
    main()

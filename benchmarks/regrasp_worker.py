"""regrasp's bin grasp: `python -m benchmarks.regrasp_worker SIZE SHADOWS`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import gymnasium

import sim  # noqa: F401 - registers the task
from benchmarks.harness import serve, share


def main() -> None:
    size, shadows = map(int, sys.argv[1:])
    env: gymnasium.Env[Any, Any] = gymnasium.make("regrasp/BinGrasp-v0", size=size, shadows=shadows)
    task: Any = env.unwrapped
    env.action_space.seed(0)

    def step() -> None:
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()

    env.reset(seed=0)
    started = task.data.time
    env.step(env.action_space.sample())
    period, timestep = task.data.time - started, task.model.opt.timestep
    serve(
        step,
        period_s=period,
        substeps=round(period / timestep),
        timestep_s=timestep,
        shadow_lights=int(task.model.light_castshadow.sum()) if shadows else 0,
        versions={name: version(name) for name in ("mujoco", "numpy")},
        **share(step, task, "render"),
    )
    env.close()


if __name__ == "__main__":
    main()

"""gym-hil's Panda pick-cube: `PYTHON -m benchmarks.peers.gym_hil_worker SIZE SHADOWS`.

The task's own observation is drawn from two cameras. So it is asked for states, and its public
`render`, told to draw the front camera alone, makes the picture.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import gym_hil  # noqa: F401 - registers the task
import gymnasium
import mujoco
from gym_hil.mujoco_gym_env import GymRenderingSpec

from benchmarks.harness import serve, share


def make(size: int, shadows: int) -> gymnasium.Env[Any, Any]:
    rendering = GymRenderingSpec(height=size, width=size)
    env: gymnasium.Env[Any, Any] = gymnasium.make(
        "gym_hil/PandaPickCubeBase-v0", render_spec=rendering
    )
    task: Any = env.unwrapped
    task.camera_id = task.camera_id[:1]
    model = task.model
    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = shadows
    model.light_castshadow[:] = 0
    model.light_castshadow[0] = shadows > 0
    task._viewer.close()  # a renderer keeps the quality it was made with
    task._viewer = mujoco.Renderer(model, size, size)
    return env


def main() -> None:
    size, shadows = map(int, sys.argv[1:])
    env = make(size, shadows)
    task: Any = env.unwrapped
    env.action_space.seed(0)

    def step() -> None:
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        task.render()
        if terminated or truncated:
            env.reset()
            task.render()

    env.reset(seed=0)
    env.step(env.action_space.sample())
    timestep = task.physics_dt
    serve(
        step,
        period_s=task.data.time,
        substeps=round(task.data.time / timestep),
        timestep_s=timestep,
        shadow_lights=int(task.model.light_castshadow.sum()),
        versions={name: version(name) for name in ("gym-hil", "mujoco", "numpy")},
        drawing=share(step, task, "render"),
    )
    env.close()


if __name__ == "__main__":
    main()

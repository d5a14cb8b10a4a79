"""robosuite's Panda tasks: `PYTHON -m benchmarks.peers.robosuite_worker TASK SIZE SHADOWS`.

Its defaults, but for what makes it slower without need: object states beside the picture, and
building the model anew for each episode.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import numpy as np
import robosuite

from benchmarks.harness import serve, share


def make(task: str, size: int, shadows: int) -> Any:
    env = robosuite.make(
        task,
        robots="Panda",
        has_renderer=False,
        has_offscreen_renderer=True,
        use_camera_obs=True,
        camera_names="agentview",
        camera_heights=size,
        camera_widths=size,
        use_object_obs=False,
        hard_reset=False,
        seed=0,
    )
    model = env.sim.model
    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = shadows
    model.light_castshadow[:] = 0
    model.light_castshadow[0] = shadows > 0
    # A context keeps the quality it was made with; a new size makes a new one.
    env.sim._render_context_offscreen.update_offscreen_size(size, size)
    return env


def main() -> None:
    size, shadows = map(int, sys.argv[2:])
    env = make(sys.argv[1], size, shadows)
    low, high = env.action_spec
    rng = np.random.default_rng(0)

    def step() -> None:
        if env.step(rng.uniform(low, high))[2]:
            env.reset()

    env.reset()
    env.step(rng.uniform(low, high))
    timestep = float(env.sim.model.opt.timestep)
    serve(
        step,
        period_s=env.sim.data.time,
        substeps=round(env.sim.data.time / timestep),
        timestep_s=timestep,
        shadow_lights=int(env.sim.model.light_castshadow.sum()),
        versions={name: version(name) for name in ("robosuite", "mujoco", "numpy")},
        drawing=share(step, env.sim, "render"),
    )


if __name__ == "__main__":
    main()

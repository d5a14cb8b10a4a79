"""Training draws straight at the network's size; the robot reduces a full frame in the graph. The
two pictures must be the same, but for what fewer samples of a pixel can do."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import torch

import sim  # noqa: F401 - registers the task
from policy.contract import Deployment
from policy.environments import make
from policy.networks.reduce import Reduce


def picture(size: int, seed: int) -> tuple[npt.NDArray[np.uint8], Deployment]:
    env: Any = gymnasium.make("regrasp/BinGrasp-v0", size=size)
    seen, _ = env.reset(seed=seed)
    for _ in range(4):
        seen, *_ = env.step(np.array([0, 0, -0.04, 0, 0, 0, 0], np.float32))
    env.close()
    return seen["front"], env.unwrapped.deployment


def test_full_frame_reduced_is_what_training_draws() -> None:
    for seed in range(3):
        small, deployment = picture(64, seed)
        large, _ = picture(480, seed)
        [step] = deployment.preprocessing
        [image] = deployment.interface.observation.images
        top, left, height, width = step.crop
        frame = np.zeros(image.shape, np.uint8)
        frame[top : top + height, left : left + width] = large
        reduced = 255 * Reduce(step)(torch.from_numpy(frame)[None])[0].permute(1, 2, 0).numpy()
        error = np.abs(reduced - small.astype(np.float32))
        # One sample a pixel against 56: edges differ, surfaces do not.
        assert error.mean() < 4
        assert np.quantile(error, 0.5) < 2


def test_a_task_says_what_its_pictures_are_made_from() -> None:
    envs = make("sim:regrasp/BinGrasp-v0", 1, 64)
    try:
        assert envs.deployment.seen == envs.interface
        assert envs.deployment.interface.observation.images[0].shape == (480, 640, 3)
        assert envs.deployment.cell_id == "twin"
    finally:
        envs.close()

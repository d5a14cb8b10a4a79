"""A task that a learner of pictures solves in seconds: move the red square onto the green one.

`reach:Reach-v0`; its observation tells both places, to whoever is not made to look.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
SIDE, STEPS, SPEED, NEAR = 24, 6, 0.6, 0.4


class Reach(gymnasium.Env[FloatArray, FloatArray]):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 - gymnasium's way

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.observation_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)
        self.action_space = gymnasium.spaces.Box(-2, 2, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[FloatArray, Any]:
        super().reset(seed=seed)
        self.places = self.np_random.uniform(-1, 1, (2, 2))  # of the hand, of the goal
        self.left = STEPS
        return self._observation(), {}

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        self.places[0] = np.clip(self.places[0] + SPEED * action / 2, -1, 1)
        self.left -= 1
        distance = float(np.linalg.norm(self.places[0] - self.places[1]))
        return self._observation(), -distance, False, self.left == 0, {"success": distance < NEAR}

    def render(self) -> Any:
        frame = np.zeros((SIDE, SIDE, 3), np.uint8)
        for place, channel in zip(self.places, (0, 1), strict=True):
            row, column = np.round((place + 1) / 2 * (SIDE - 4)).astype(int)
            frame[row : row + 4, column : column + 4, channel] = 255
        return frame

    def _observation(self) -> FloatArray:
        return self.places.flatten().astype(np.float32)


gymnasium.register("Reach-v0", entry_point="reach:Reach")

"""Makes the cell ready for the next episode. What does not work in three attempts is a person's,
who is told what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from regrasp_msgs.action import ResetCell

from .episode.resetting import Resetting
from .episode.routine import Interrupted, Places
from .reach import Reach
from .threaded import ThreadedAction
from .wiring import OK, Diagnostics, Health, cell_of, parameter, run


class ResetNode(Node):
    def __init__(self) -> None:
        super().__init__("reset")
        cell = cell_of(self)
        cameras = parameter(self, "judge_cameras", ["front"], "that tell whether the bin changed")
        seed = parameter(self, "seed", 0, "of where it stirs", 0, 2**31 - 1)
        self._reach = Reach(self, cell, cameras)
        random = np.random.default_rng(seed)
        self._resetting = Resetting(self._reach, Places.of(cell), random)
        self._counts = {"resets": 0, "a person was asked": 0}
        self._action = ThreadedAction(
            self, ResetCell, "~/reset_cell", self._reset, self._reach.stopping, latest=True
        )
        Diagnostics(self, self._health)

    def _reset(self, handle: Any) -> tuple[Any, bool]:
        self._counts["resets"] += 1
        try:
            problem, attempts = self._resetting.ready(handle.request.stir)
        except Interrupted as error:
            problem, attempts = str(error), 0
        if not problem:
            return ResetCell.Result(done=True, attempts=attempts), True
        self._counts["a person was asked"] += 1
        return ResetCell.Result(done=False, message=problem, attempts=attempts), False

    def _health(self) -> Health:
        return OK, "ready", {**self._counts, "stirred": self._resetting.stirred}

    def destroy_node(self) -> None:
        self._action.close()
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(ResetNode, args)


if __name__ == "__main__":
    main()

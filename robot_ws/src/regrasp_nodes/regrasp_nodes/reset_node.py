"""Makes the cell ready for the next episode: open, clear of the bin, things within reach.

What it does it checks: fingers by their width, a stirred bin by the camera. What does not work in
three attempts is a person's, who is told what to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from regrasp_msgs.action import ResetCell

from policy.experience.episode import success

from .episode.routine import OPEN, Interrupted, Places
from .reach import Reach
from .threaded import ThreadedAction
from .wiring import OK, Diagnostics, Health, cell_of, parameter, run

ATTEMPTS = 3
LOW = 0.03  # m above the floor; where closed fingers push things about
GENTLY = 0.1  # m/s
INWARD = 0.9, 0.3  # shares of the bin's half width, between which things are pushed to the middle


class ResetNode(Node):
    def __init__(self) -> None:
        super().__init__("reset")
        cell = cell_of(self)
        cameras = parameter(self, "judge_cameras", ["front"], "that tell whether the bin changed")
        seed = parameter(self, "seed", 0, "of where it stirs", 0, 2**31 - 1)
        self._places, self._random = Places.of(cell), np.random.default_rng(seed)
        self._reach = Reach(self, cell, cameras)
        self._counts = {"resets": 0, "stirred": 0, "a person was asked": 0}
        self._action = ThreadedAction(
            self, ResetCell, "~/reset_cell", self._reset, self._reach.stopping
        )
        Diagnostics(self, self._health)

    def _reset(self, handle: Any) -> tuple[Any, bool]:
        self._counts["resets"] += 1
        attempts, problem = 0, ""
        try:
            for attempts in range(1, ATTEMPTS + 1):
                problem = self._open() or (self._stir() if handle.request.stir else "")
                if not problem:
                    return ResetCell.Result(done=True, attempts=attempts), True
        except Interrupted as error:
            problem = str(error)
        self._counts["a person was asked"] += 1
        return ResetCell.Result(done=False, message=problem, attempts=attempts), False

    def _open(self) -> str:
        """Above the bin and open; what is wrong, if it is not."""
        reach, places = self._reach, self._places
        pose = reach.pose()
        if reach.aperture() > places.open - OPEN and pose[2] > places.high[2] - 0.01:
            return ""
        above = places.lifted(pose)
        reach.move(above, places.open)
        if reach.aperture() > places.open - OPEN:
            return ""
        reach.move(above, 0.0)  # what is stuck may come loose
        reach.move(above, places.open)
        width = reach.aperture()
        if width > places.open - OPEN:
            return ""
        return f"the fingers open to {1e3 * width:.0f} mm only: free them"

    def _stir(self) -> str:
        """From the sides to the middle, with closed fingers; then the camera has to see it."""
        reach, places = self._reach, self._places
        reach.move(places.aside(), 0.0)
        before = reach.pictures()
        half, low = (places.high - places.low)[:2] / 2, places.floor[2] + LOW
        first = self._random.uniform(0, 2 * np.pi)
        for turn in first + np.arange(4) * np.pi / 2:
            way = np.array([np.cos(turn), np.sin(turn)])
            for share, down in ((INWARD[0], False), (INWARD[0], True), (INWARD[1], True)):
                spot = places.floor[:2] + share * half * way
                height = low if down else places.high[2]
                reach.move(np.array([*spot, height, 0.0]), speed=GENTLY if down else 0.0)
            reach.move(places.lifted(reach.pose()))
        reach.move(places.aside(), places.open)
        self._counts["stirred"] += 1
        changed = success(reach.judge(before, reach.pictures()))
        return "" if changed else "stirring changed nothing in the bin: put things into it"

    def _health(self) -> Health:
        return OK, "ready", self._counts

    def destroy_node(self) -> None:
        self._action.close()
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(ResetNode, args)


if __name__ == "__main__":
    main()

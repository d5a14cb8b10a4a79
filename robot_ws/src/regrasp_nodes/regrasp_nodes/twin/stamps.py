"""The twin's time as ROS's. Nothing of ROS is in it."""

from __future__ import annotations

import time

from sim.twin import Twin


class Stamps:
    """Where `simulated`, ROS's time is the twin's own, as /clock tells it; else the system's, on
    which the twin keeps a schedule."""

    def __init__(self, twin: Twin, simulated: bool) -> None:
        self._twin, self.simulated = twin, simulated

    def ros_ns(self, twin_ns: int) -> int:
        if self.simulated:
            return twin_ns
        return self._twin.wall_ns(twin_ns) - time.monotonic_ns() + time.time_ns()

    def now_ns(self) -> int:
        return self._twin.time_ns if self.simulated else time.time_ns()

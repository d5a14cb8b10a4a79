"""How the twin's time follows the wall's: an absolute schedule, so that nothing drifts."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

import numpy as np

from calibration.cell import Delay

T = TypeVar("T")
WINDOW_S = 2.0  # over which the factor is measured


class Timeline:
    """The twin's time, in ns since it was opened, and the lock that guards its world."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.now_ns = 0


class Lag(Generic[T]):
    """A link that takes its time, and keeps the order of what it carries."""

    def __init__(self, delay: Delay, random: np.random.Generator) -> None:
        self._delay, self._random = delay, random
        self._waiting: deque[tuple[int, T]] = deque()
        self._last = 0

    def draw(self) -> int:
        """ns; normal about the mean, never beyond three deviations, never negative."""
        mean, jitter = self._delay.mean.value, self._delay.jitter.value
        shift = float(np.clip(self._random.standard_normal(), -3, 3)) * jitter
        return max(0, round((mean + shift) * 1e9))

    def arrival(self, sent_ns: int) -> int:
        self._last = max(self._last, sent_ns + self.draw())
        return self._last

    def send(self, now_ns: int, item: T) -> None:
        self._waiting.append((self.arrival(now_ns), item))

    def receive(self, now_ns: int) -> list[T]:
        found = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            found.append(self._waiting.popleft()[1])
        return found

    def clear(self) -> None:
        self._waiting.clear()


class Pace:
    """Twin time is `factor` times wall time since the start. Whoever falls behind by more than
    `max_lag` s gives the lost time up, and it is counted; less is caught up with."""

    def __init__(self, factor: float, max_lag: float) -> None:
        self.factor, self._max_lag = factor, round(max_lag * 1e9)
        self.lag_ns = 0
        self.slipped_ns = 0
        self.begin()

    def begin(self) -> None:
        """Twin time 0 is now."""
        self._anchor = time.monotonic_ns(), 0  # wall and twin: one, for threads that read it
        self._marks: deque[tuple[int, int]] = deque([self._anchor])

    def target(self, now_ns: int) -> int:
        """The twin time that is due; `now_ns` is where the twin is."""
        wall, (begin, twin) = time.monotonic_ns(), self._anchor
        due = twin + round((wall - begin) * self.factor)
        self.lag_ns = max(0, due - now_ns)
        if self.lag_ns > self._max_lag * self.factor:
            self.slipped_ns += self.lag_ns
            self._anchor, self.lag_ns, due = (wall, now_ns), 0, now_ns
        if wall - self._marks[-1][0] > 0.05e9:
            self._marks.append((wall, now_ns))
            while wall - self._marks[0][0] > WINDOW_S * 1e9 and len(self._marks) > 2:
                self._marks.popleft()
        return due

    def wall_ns(self, twin_ns: int) -> int:
        """When, on the monotonic clock, that twin time is or was due."""
        wall, twin = self._anchor
        return wall + round((twin_ns - twin) / self.factor)

    def wait_s(self, twin_ns: int) -> float:
        return max(0.0, (self.wall_ns(twin_ns) - time.monotonic_ns()) * 1e-9)

    def measured(self) -> float:
        """Twin seconds a wall second, over the last seconds. At the wanted factor it keeps up."""
        (wall, twin), (wall_end, twin_end) = self._marks[0], self._marks[-1]
        return (twin_end - twin) / (wall_end - wall) if wall_end > wall else self.factor

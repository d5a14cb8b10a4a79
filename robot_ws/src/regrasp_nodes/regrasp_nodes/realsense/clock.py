"""The camera's clock, told in the host's.

A frame says when the camera began to send it, by a clock of the camera's own: precise, but with
another origin, some parts in a million too fast or too slow, and full after 2^32 µs (71.6 minutes).
It arrives some delay later. A delay can only add, so the lower envelope of arrival minus camera
time is the clock's offset, and bursts of delay lie above it unheeded. The least delay itself stays
in: only the cell file's `latency.camera`, measured with light, knows it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

WRAP_US = 1 << 32
WRAP_SLACK_S = 5.0  # a delay, or a pause, that does not hide that the counter merely went round
BUCKET_NS = 1e9  # of each second, the least delayed frame counts
BUCKETS = 60
FEWEST = 5  # buckets before the drift is fitted
FASTEST = 200e-6  # drift: crystals keep to 50 parts in a million
STEP = 0.2e-6  # change of the drift per bucket, once all are full: they warm up slowly
JUMP_NS = 100e6  # so far below the envelope, no frame of the same clock can lie


class HardwareClock:
    """Learns with each frame. Host times are those of `time.monotonic_ns`."""

    def __init__(self) -> None:
        self.resets = -1  # the first frame begins it
        self._drift = 0.0
        self._heard: tuple[float, int] | None = None

    @property
    def drift(self) -> float:
        """How much faster the host's clock goes than the camera's, as a share."""
        return self._drift

    @property
    def residual_ns(self) -> float:
        """How far above the envelope the least delayed frame of a second lies: the median."""
        if self._heard is None:
            return 0.0
        times, delays = np.array([*self._full, self._filling]).T
        return float(np.median(delays - self._drift * times) - self._floor)

    def host_ns(self, ticks_us: float, arrived_ns: int) -> int:
        """When the camera's clock showed `ticks_us`, given that it was heard of at `arrived_ns`."""
        if not self._goes_on(ticks_us, arrived_ns):
            self._begin(ticks_us, arrived_ns)
        since = (ticks_us + self._wraps * WRAP_US - self._origin[0]) * 1e3
        delay = arrived_ns - self._origin[1] - since
        if delay < self._floor + self._drift * since - JUMP_NS:
            self._begin(ticks_us, arrived_ns)
            since = delay = 0.0
        self._heard = ticks_us, arrived_ns
        self._learn(since, delay)
        return self._origin[1] + round(since + self._floor + self._drift * since)

    def _begin(self, ticks_us: float, arrived_ns: int) -> None:
        self.resets += 1
        self._wraps, self._origin = 0, (ticks_us, arrived_ns)
        self._drift = self._floor = 0.0
        self._filling = (0.0, 0.0)
        self._full: deque[tuple[float, float]] = deque(maxlen=BUCKETS)

    def _goes_on(self, ticks_us: float, arrived_ns: int) -> bool:
        """Whether it still is the same count; one that went round is."""
        if self._heard is None:
            return False
        ticked, elapsed = ticks_us - self._heard[0], (arrived_ns - self._heard[1]) / 1e9
        if ticked >= 0:
            return True
        if abs((ticked + WRAP_US) / 1e6 - elapsed) > WRAP_SLACK_S:
            return False
        self._wraps += 1
        return True

    def _learn(self, since: float, delay: float) -> None:
        if since // BUCKET_NS > self._filling[0] // BUCKET_NS:
            self._full.append(self._filling)
            self._filling = since, delay
            self._fit()
        elif delay - self._drift * since < self._filling[1] - self._drift * self._filling[0]:
            self._filling = since, delay
        self._floor = min(self._floor, delay - self._drift * since)

    def _fit(self) -> None:
        """The drift is the median slope between seconds that no burst has lifted (Theil and Sen),
        the floor what then lies under all of them."""
        times, delays = np.array(self._full).T
        lifted = delays - delays.min() > FASTEST * (times[-1] - times[0]) + 1e6
        t, d = times[~lifted], delays[~lifted]
        if len(t) >= FEWEST:
            i, j = np.triu_indices(len(t), 1)
            slope = float(np.clip(np.median((d[j] - d[i]) / (t[j] - t[i])), -FASTEST, FASTEST))
            if len(self._full) == BUCKETS:
                slope = float(np.clip(slope, self._drift - STEP, self._drift + STEP))
            self._drift = slope
        self._floor = float((delays - self._drift * times).min())

"""Keeps watch over a camera: which frames are new, which are missing, and when none comes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FROZEN_PERIODS = 10
MEMORY = 150  # frames that rate and age are taken from: 5 s at 30 a second


@dataclass(frozen=True)
class Health:
    connected: bool
    frozen: bool  # no new frame for so many periods
    rate: float  # new frames a second, of late
    age_p50: float  # s, from mid-exposure until handed out
    age_p99: float
    handed: int  # since the beginning, like all that follow
    dropped: int  # missing in the sequence
    duplicates: int  # not handed out
    unpaired: int  # without a depth of their time
    opened: int
    clock_residual: float  # s
    clock_drift: float
    temperature: float | None  # °C


class Watch:
    """Times are `time.monotonic_ns`. Read from another thread than it is told from."""

    def __init__(self, period_s: float) -> None:
        self._period_ns = period_s * 1e9
        self._lock = threading.Lock()
        self._last: tuple[int, npt.NDArray[np.uint8]] | None = None
        self._recent: deque[tuple[int, float]] = deque(maxlen=MEMORY)
        self._handed = self._dropped = self._duplicates = self._unpaired = self._opened = 0
        self._connected, self._news_ns = False, 0
        self._clock = (0.0, 0.0)
        self._temperature: float | None = None

    def opened(self, now_ns: int) -> None:
        """Sequences begin anew; a picture from before is still an old one."""
        with self._lock:
            self._connected, self._news_ns = True, now_ns
            self._opened += 1
            self._recent.clear()
            if self._last is not None:
                self._last = -1, self._last[1]

    def closed(self) -> None:
        with self._lock:
            self._connected = False

    def is_new(self, sequence: int, colour: npt.NDArray[np.uint8]) -> bool:
        """A sensor's noise never repeats: the same pixels are the same picture, whatever its
        number. A number below the last one is a sequence that began anew."""
        with self._lock:
            before, self._last = self._last, (sequence, colour)
            if before is None:
                return True
            if before[0] >= 0 and sequence > before[0]:
                self._dropped += sequence - before[0] - 1
            same = sequence == before[0] or np.array_equal(colour, before[1])
            self._duplicates += same
            return not same

    def handed(self, now_ns: int, captured_ns: int, paired: bool) -> None:
        with self._lock:
            self._news_ns = now_ns
            self._handed += 1
            self._unpaired += not paired
            self._recent.append((now_ns, (now_ns - captured_ns) / 1e9))

    def measured(self, residual_s: float, drift: float, temperature: float | None) -> None:
        with self._lock:
            self._clock, self._temperature = (residual_s, drift), temperature

    def silent_s(self, now_ns: int) -> float:
        """Since the last new frame, or the opening."""
        return (now_ns - self._news_ns) / 1e9

    def frozen(self, now_ns: int) -> bool:
        return now_ns - self._news_ns > FROZEN_PERIODS * self._period_ns

    def health(self, now_ns: int) -> Health:
        with self._lock:
            ages = [age for _, age in self._recent] or [0.0]
            recent = [at for at, _ in self._recent if now_ns - at < MEMORY * self._period_ns]
            # The first ones of a stream have less time behind them.
            span = (now_ns - recent[0]) / 1e9 if len(recent) > 1 else 0.0
            p50, p99 = np.percentile(ages, (50, 99))
            return Health(
                connected=self._connected,
                frozen=self.frozen(now_ns),
                rate=(len(recent) - 1) / span if span else 0.0,
                age_p50=float(p50),
                age_p99=float(p99),
                handed=self._handed,
                dropped=self._dropped,
                duplicates=self._duplicates,
                unpaired=self._unpaired,
                opened=self._opened,
                clock_residual=self._clock[0],
                clock_drift=self._clock[1],
                temperature=self._temperature,
            )

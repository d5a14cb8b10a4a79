"""When a frame was: what the library says of it, in one form."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from .clock import WRAP_US
from .library import library

MILLI = 1_000_000
LATEST_NS = 1000 * MILLI  # an arrival longer ago is in another unit, or of another clock


@dataclass(frozen=True)
class Times:
    """`ticks_us` is the camera's own clock when it began to send, or None where the library has
    already told it by the host's: then `arrived_ns` is that very time. `lag_ns` is how long before
    that the middle of the exposure was. Host times are `time.monotonic_ns`."""

    ticks_us: float | None
    lag_ns: int
    arrived_ns: int


def times_of(frame: Any, recorded: bool) -> Times:
    """Of a frame just taken. A recording's host times are long past, so that its arrival here is
    what counts: it plays as if it happened now."""
    rs = library()
    now, key = time.monotonic_ns(), rs.frame_metadata_value
    domain, stamp_us = frame.get_frame_timestamp_domain(), frame.get_timestamp() * 1e3
    ticks = _metadata(frame, key.frame_timestamp)
    if ticks is None:
        by_camera = domain == rs.timestamp_domain.hardware_clock
        if not recorded and not by_camera:
            age = time.time_ns() - round(stamp_us * 1e3)
            return Times(None, 0, now - max(age, 0))
        return Times(stamp_us, 0, now)
    arrived = now if recorded else _arrival(frame, now)
    return Times(float(ticks), _lag_ns(ticks, _metadata(frame, key.sensor_timestamp)), arrived)


def _metadata(frame: Any, key: Any) -> int | None:
    return int(frame.get_frame_metadata(key)) if frame.supports_frame_metadata(key) else None


def _arrival(frame: Any, now: int) -> int:
    """As the library noted it, earlier than we could: in whole ms, rounded down. The envelope
    would find the most rounded ones, and lie one ms too low."""
    key = library().frame_metadata_value
    for name in (key.backend_timestamp, key.time_of_arrival):
        noted = _metadata(frame, name)
        if noted is not None and 0 <= (age := time.time_ns() - noted * MILLI) < LATEST_NS:
            return now - max(age - MILLI, 0)
    return now


def _lag_ns(sent_us: int, exposed_us: int | None) -> int:
    """Both go round, and not at once."""
    if exposed_us is None:
        return 0
    lag = (sent_us - exposed_us) % WRAP_US
    return lag * 1000 if lag < 500_000 else 0

"""Waiting for somebody to be there, by looking now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.context import Context

POLL_S = 0.005


def until_true(look: Callable[[], bool], context: Context, timeout_sec: float | None) -> bool:
    """Whether it is, at the end; None waits for ever, or until shutdown."""
    forever = timeout_sec is None or timeout_sec < 0
    end = time.monotonic() + (timeout_sec or 0.0)
    while context.ok() and not look():
        if not forever and time.monotonic() >= end:
            break
        time.sleep(POLL_S)
    return look()

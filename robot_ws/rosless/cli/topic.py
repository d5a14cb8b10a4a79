"""rosless topic: list, echo, hz."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .around import commands, looking, print_names, settled
from .messages import interface, show

WAIT_S = 5.0  # for a topic to be there
WINDOW = 10_000  # messages whose rate is told


def list_topics(*, types: bool = False) -> None:
    """what there is"""
    with looking() as node:
        print_names(settled(node.get_topic_names_and_types), types)


def echo(
    topic: str,
    type: str | None = None,
    *,
    once: bool = False,
    full_length: bool = False,
    timeout: float | None = None,
) -> None:
    """what is said"""

    def heard(message: Any) -> None:
        print(f"{show(message, full_length)}---", flush=True)

    _listen(topic, type, heard, timeout, once=once, raw=False)


def hz(topic: str, type: str | None = None, *, timeout: float | None = None) -> None:
    """how often"""
    stamps, told = deque[float](maxlen=WINDOW), time.monotonic()

    def heard(_: Any) -> None:
        nonlocal told
        now = time.monotonic()
        stamps.append(now)
        if now - told >= 1.0 and len(stamps) > 1:
            told = now
            periods = [b - c for b, c in zip(list(stamps)[1:], stamps, strict=False)]
            span = f"min: {min(periods):.4f}s max: {max(periods):.4f}s window: {len(stamps)}"
            print(f"average rate: {len(periods) / sum(periods):.3f}\n\t{span}", flush=True)

    _listen(topic, type, heard, timeout, once=False, raw=True)


def _listen(
    topic: str,
    type: str | None,
    heard: Callable[[Any], None],
    timeout: float | None,
    *,
    once: bool,
    raw: bool,
) -> None:
    import rclpy

    first = rclpy.Future()

    def call(message: Any) -> None:
        heard(message)
        first.set_result(None)

    with looking() as node:
        name = node.resolve_topic_name(topic)
        found = node.context.wait_until(partial(node.get_publishers_info_by_topic, name), WAIT_S)
        if not found and type is None:
            raise SystemExit(f"nobody speaks on {name!r}; name its type to wait for somebody")
        kind = interface(type or found[0].topic_type, "msg")
        node.create_subscription(kind, name, call, _quality(found), raw=raw)
        awaited = first if once else rclpy.Future()
        rclpy.spin_until_future_complete(node, awaited, timeout_sec=timeout)
        if timeout is not None and not first.done():
            raise SystemExit(f"nothing on {name!r} within {timeout} s")


def _quality(found: Any) -> Any:
    """What all who speak can offer."""
    from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

    profiles = [one.qos_profile for one in found]
    reliable = all(one.reliability == ReliabilityPolicy.RELIABLE for one in profiles)
    kept = profiles and all(one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in profiles)
    return QoSProfile(
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
    )


topic = commands("topic", list_topics, echo, hz)

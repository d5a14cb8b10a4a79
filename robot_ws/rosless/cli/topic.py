"""rosless topic: list, info, echo, hz, pub."""

from __future__ import annotations

import argparse
import time
from collections import deque
from typing import Any

from .around import (
    commands,
    fail,
    fill,
    interface,
    listing,
    looking,
    plain,
    settled,
    show,
    typed,
    until,
)

WAIT_S = 5.0  # for a topic to be there


def _info(parser: argparse.ArgumentParser) -> None:
    """who speaks and who listens"""
    parser.add_argument("topic")
    parser.set_defaults(run=run_info)


def run_info(a: argparse.Namespace) -> int:
    with looking() as node:
        known = dict(settled(node.get_topic_names_and_types))
        if a.topic not in known:
            return fail(f"no topic {a.topic!r}")
        print(f"Type: {', '.join(known[a.topic])}")
        for kind, found in (
            ("Publisher", node.get_publishers_info_by_topic(a.topic)),
            ("Subscription", node.get_subscriptions_info_by_topic(a.topic)),
        ):
            print(f"{kind} count: {len(found)}")
            for one in found:
                qos = one.qos_profile
                where = f"{one.node_namespace.rstrip('/')}/{one.node_name}"
                print(f"  {where}: {qos.reliability.name}, {qos.durability.name}")
    return 0


def _echo(parser: argparse.ArgumentParser) -> None:
    """what is said"""
    parser.add_argument("topic")
    parser.add_argument("type", nargs="?")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--full-length", action="store_true", help="long arrays, too")
    parser.add_argument("--timeout", type=float, help="s")
    parser.set_defaults(run=run_echo)


def run_echo(a: argparse.Namespace) -> int:
    def heard(message: Any) -> None:
        print(f"{show(plain(message, a.full_length))}---", flush=True)

    return _listen(a, heard, raw=False)


def _hz(parser: argparse.ArgumentParser) -> None:
    """how often"""
    parser.add_argument("topic")
    parser.add_argument("type", nargs="?")
    parser.add_argument("--window", type=int, default=10_000)
    parser.add_argument("--timeout", type=float, help="s")
    parser.set_defaults(run=run_hz, once=False)


def run_hz(a: argparse.Namespace) -> int:
    stamps, told = deque[float](maxlen=a.window), [time.monotonic()]

    def heard(_: Any) -> None:
        now = time.monotonic()
        stamps.append(now)
        if now - told[0] >= 1.0 and len(stamps) > 1:
            told[0] = now
            periods = [b - c for b, c in zip(list(stamps)[1:], stamps, strict=False)]
            mean = sum(periods) / len(periods)
            print(
                f"average rate: {1 / mean:.3f}\n\tmin: {min(periods):.4f}s max: "
                f"{max(periods):.4f}s window: {len(stamps)}",
                flush=True,
            )

    return _listen(a, heard, raw=True)


def _listen(a: argparse.Namespace, heard: Any, raw: bool) -> int:
    import rclpy

    with looking() as node:
        name = node.resolve_topic_name(a.topic)
        found = until(lambda: _speakers(node, name), WAIT_S)
        if found is None and a.type is None:
            return fail(f"nobody speaks on {name!r}; name its type to wait for somebody")
        kind = a.type or (found or [])[0].topic_type
        once: list[Any] = []

        def call(message: Any) -> None:
            heard(message)
            once.append(message)

        node.create_subscription(interface(kind, "msg"), name, call, _quality(found), raw=raw)
        end = None if a.timeout is None else time.monotonic() + a.timeout
        while node.context.ok() and not (a.once and once):
            if end is not None and time.monotonic() > end:
                return 0 if once else fail(f"nothing on {name!r} within {a.timeout} s")
            rclpy.spin_once(node, timeout_sec=0.2)
    return 0


def _speakers(node: Any, name: str) -> Any:
    return node.get_publishers_info_by_topic(name) or None


def _quality(found: Any) -> Any:
    """What all who speak can offer."""
    from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

    if not found:
        return QoSProfile(depth=10)
    profiles = [one.qos_profile for one in found]
    reliable = all(one.reliability == ReliabilityPolicy.RELIABLE for one in profiles)
    kept = all(one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in profiles)
    return QoSProfile(
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
    )


def _pub(parser: argparse.ArgumentParser) -> None:
    """say something"""
    parser.add_argument("topic")
    parser.add_argument("type")
    parser.add_argument("values", nargs="?", default="{}")
    parser.add_argument("-1", "--once", action="store_true")
    parser.add_argument("-r", "--rate", type=float, default=1.0)
    parser.set_defaults(run=run_pub)


def run_pub(a: argparse.Namespace) -> int:

    with looking() as node:
        message = fill(interface(a.type, "msg")(), typed(a.values))
        publisher = node.create_publisher(type(message), a.topic, 10)
        until(lambda: publisher.get_subscription_count() or None, WAIT_S if a.once else 0.0)
        while node.context.ok():
            publisher.publish(message)
            if a.once:
                publisher.wait_for_all_acked()
                return 0
            time.sleep(1 / a.rate)
    return 0


def main(argv: list[str]) -> int:
    parser = commands(
        "topic",
        list_=listing(lambda node: node.get_topic_names_and_types()),
        info=_info,
        echo=_echo,
        hz=_hz,
        pub=_pub,
    )
    a = parser.parse_args(argv)
    return int(a.run(a))

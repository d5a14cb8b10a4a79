"""Quality of service: who meets whom, what is kept for whom, and what of it is told."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import rclpy
from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from ros_doing import Make, Spin, spun_until, until
from std_msgs.msg import Int64

BEST, SURE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
GONE, KEPT = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL
NUMBERS = itertools.count()
LATENT = QoSProfile(depth=3, durability=KEPT)


def profile(**chosen: Any) -> QoSProfile:
    return QoSProfile(**{"depth": 10, **chosen})


def met(make: Make, offered: QoSProfile, asked: QoSProfile) -> tuple[bool, QoSPolicyKind | None]:
    """Whether a message arrives, or else which policy stood in the way on both sides."""
    topic = f"a{next(NUMBERS)}"
    node, faults, heard = make(), dict[str, Any](), list[int]()

    def fault(side: str) -> Any:
        return lambda event: faults.update({side: event.last_policy_kind})

    node.create_subscription(
        Int64,
        topic,
        lambda message: heard.append(message.data),
        asked,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=fault("asked")),
    )
    publisher = node.create_publisher(
        Int64,
        topic,
        offered,
        event_callbacks=PublisherEventCallbacks(incompatible_qos=fault("offered")),
    )

    def decided() -> bool:
        spin_once(node)
        if publisher.get_subscription_count():
            publisher.publish(Int64(data=1))
        return bool(heard) or len(faults) == 2

    until(decided)
    assert not (heard and faults)
    assert len({int(kind) for kind in faults.values()}) <= 1
    node.destroy_node()
    return bool(heard), faults.get("asked")


def spin_once(node: Node) -> None:
    rclpy.spin_once(node, timeout_sec=0.001)


RELIABLE_AND_KEPT = list(itertools.product((BEST, SURE), (GONE, KEPT)))


@pytest.mark.parametrize(("reliability", "durability"), RELIABLE_AND_KEPT)
def test_who_offers_less_than_is_asked_for_is_not_heard(
    make: Make, reliability: ReliabilityPolicy, durability: DurabilityPolicy
) -> None:
    offered = profile(reliability=reliability, durability=durability)
    for asked_reliability, asked_durability in RELIABLE_AND_KEPT:
        asked = profile(reliability=asked_reliability, durability=asked_durability)
        lossy = reliability == BEST and asked_reliability == SURE
        forgetful = durability == GONE and asked_durability == KEPT
        heard, policy = met(make, offered, asked)
        assert heard is not (lossy or forgetful)
        if lossy != forgetful:
            assert policy == (QoSPolicyKind.RELIABILITY if lossy else QoSPolicyKind.DURABILITY)


@pytest.mark.parametrize(
    ("kept", "asked", "heard"),
    [
        (LATENT, profile(durability=KEPT), [7, 8, 9]),
        (LATENT, QoSProfile(depth=2, durability=KEPT), [8, 9]),
        (LATENT, QoSProfile(history=HistoryPolicy.KEEP_ALL, durability=KEPT), [7, 8, 9]),
        (LATENT, profile(), []),
        (
            profile(durability=KEPT, history=HistoryPolicy.KEEP_ALL),
            profile(durability=KEPT),
            list(range(10)),
        ),
    ],
)
def test_a_late_joiner_gets_what_was_kept(
    make: Make, kept: QoSProfile, asked: QoSProfile, heard: list[int]
) -> None:
    node, got = make(), list[int]()
    publisher = node.create_publisher(Int64, "a", kept)
    for number in range(10):
        publisher.publish(Int64(data=number))
    subscription = node.create_subscription(Int64, "a", lambda m: got.append(m.data), asked)
    until(lambda: publisher.get_subscription_count() and subscription.get_publisher_count())
    publisher.publish(Int64(data=100))

    def all_heard() -> bool:
        spin_once(node)
        return 100 in got

    until(all_heard)
    expected = [*heard, 100]
    assert got == expected[-asked.depth :] if asked.depth else expected


def test_what_is_kept_for_a_while_is_forgotten(make: Make) -> None:
    """The one of a lifespan is gone some time; the one without is there."""
    node, got = make(), list[int]()
    short = QoSProfile(depth=5, durability=KEPT, lifespan=Duration(seconds=0.02))
    publishers = [node.create_publisher(Int64, "a", one) for one in (short, LATENT)]
    for number, publisher in enumerate(publishers):
        publisher.publish(Int64(data=number))

    def forgotten() -> bool:
        got.clear()
        late = node.create_subscription(Int64, "a", lambda m: got.append(m.data), LATENT)
        until(lambda: late.get_publisher_count() == 2)
        spun_until(node, lambda: 1 in got)
        node.destroy_subscription(late)
        return 0 not in got

    until(forgotten)


def test_a_subscription_keeps_its_latest(make: Make) -> None:
    node, got = make(), list[int]()
    subscription = node.create_subscription(Int64, "a", lambda m: got.append(m.data), 4)
    publisher = node.create_publisher(Int64, "a", 100)
    until(lambda: publisher.get_subscription_count() and subscription.get_publisher_count())
    for number in range(20):
        publisher.publish(Int64(data=number))
    assert publisher.wait_for_all_acked(Duration(seconds=20))
    spun_until(node, lambda: 19 in got)
    assert got == [16, 17, 18, 19]


@pytest.mark.parametrize("publishes", [True, False])
def test_who_does_not_fit_is_warned_of(
    make: Make, spin: Spin, capfd: pytest.CaptureFixture[str], publishes: bool
) -> None:
    """By both, unless they say otherwise."""
    node = make("warned")
    spin(node)
    lossy = profile(reliability=BEST)
    quiet: Any = PublisherEventCallbacks if publishes else SubscriptionEventCallbacks
    silent = {"event_callbacks": quiet(use_default_callbacks=False)}
    node.create_publisher(Int64, "a", lossy, **(silent if publishes else {}))
    node.create_subscription(Int64, "a", print, 10, **({} if publishes else silent))
    said: list[str] = []

    def warned() -> bool:
        captured = capfd.readouterr()
        said.extend((captured.out + captured.err).splitlines())
        return any("incompatible QoS" in line for line in said)

    until(warned)
    lines = [line for line in said if "incompatible QoS" in line]
    assert len(lines) == 1
    assert "RELIABILITY" in lines[0]
    assert ("New publisher" in lines[0]) is publishes

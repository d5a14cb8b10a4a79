"""What publishers and subscriptions are told beside data: met, late, gone, lost."""

from __future__ import annotations

from typing import Any

from rclpy.duration import Duration
from rclpy.event_handler import (
    PublisherEventCallbacks,
    QoSLivelinessChangedInfo,
    QoSPublisherMatchedInfo,
    SubscriptionEventCallbacks,
)
from rclpy.node import Node
from rclpy.qos import LivelinessPolicy, QoSProfile, ReliabilityPolicy
from ros_doing import Make, spun_until, until
from std_msgs.msg import Int64

SHORT = Duration(seconds=0.05)


def publisher(node: Node, qos: QoSProfile | int = 10, **told: Any) -> Any:
    return node.create_publisher(Int64, "a", qos, event_callbacks=PublisherEventCallbacks(**told))


def subscription(node: Node, qos: QoSProfile | int = 10, **told: Any) -> Any:
    callbacks = SubscriptionEventCallbacks(**told)
    return node.create_subscription(Int64, "a", lambda _: None, qos, event_callbacks=callbacks)


def test_who_meets_is_told(make: Make) -> None:
    node, offered, asked = make(), list[QoSPublisherMatchedInfo](), list[Any]()
    publisher(node, matched=offered.append)
    first = subscription(node, matched=asked.append)
    spun_until(node, lambda: offered and asked)
    for event in (offered[0], asked[0]):
        assert (event.total_count, event.total_count_change) == (1, 1)
        assert (event.current_count, event.current_count_change) == (1, 1)
    second = subscription(node)
    spun_until(node, lambda: offered[-1].current_count == 2)
    node.destroy_subscription(first)
    node.destroy_subscription(second)
    spun_until(node, lambda: offered[-1].current_count == 0)
    assert offered[-1].total_count == 2
    assert sum(event.current_count_change for event in offered) == 0
    assert len(asked) == 1


def test_who_meets_nobody_is_told_how_often(make: Make) -> None:
    node, offered = make(), list[Any]()
    publisher(
        node,
        QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
        incompatible_qos=offered.append,
    )
    subscription(node, incompatible_qos=lambda _: None)
    spun_until(node, lambda: offered)
    subscription(node, incompatible_qos=lambda _: None)
    spun_until(node, lambda: offered[-1].total_count == 2)
    assert sum(event.total_count_change for event in offered) == 2


def test_who_is_late_is_told_and_so_is_who_waits(make: Make) -> None:
    node, offered, asked = make(), list[Any](), list[Any]()
    often = QoSProfile(depth=10, deadline=SHORT)
    sender = publisher(node, often, deadline=offered.append)
    subscription(node, often, deadline=asked.append)
    until(sender.get_subscription_count)
    sender.publish(Int64())
    spun_until(node, lambda: offered and asked)
    spun_until(node, lambda: offered[-1].total_count >= 2)
    assert sum(event.total_count_change for event in offered) == offered[-1].total_count
    assert sum(event.total_count_change for event in asked) == asked[-1].total_count


def test_who_says_nothing_for_too_long_is_gone(make: Make) -> None:
    node, lost, changed = make(), list[Any](), list[QoSLivelinessChangedInfo]()
    lease = Duration(seconds=0.2)
    by_hand = QoSProfile(
        depth=10, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC, liveliness_lease_duration=lease
    )
    sender = publisher(node, by_hand, liveliness=lost.append)
    subscription(node, by_hand, liveliness=changed.append)
    until(sender.get_subscription_count)
    sender.assert_liveliness()
    spun_until(node, lambda: changed and changed[-1].alive_count == 1)
    spun_until(node, lambda: lost and changed[-1].not_alive_count == 1)
    assert lost[0].total_count == 1
    assert changed[-1].alive_count == 0
    sender.publish(Int64())
    spun_until(node, lambda: changed[-1].alive_count == 1)
    assert changed[-1].not_alive_count == 0


def test_who_is_destroyed_is_not_alive(make: Make) -> None:
    node, changed = make(), list[QoSLivelinessChangedInfo]()
    sender = publisher(node)
    subscription(node, liveliness=changed.append)
    spun_until(node, lambda: changed and changed[-1].alive_count == 1)
    node.destroy_publisher(sender)
    spun_until(node, lambda: changed[-1].alive_count == 0)
    assert changed[-1].not_alive_count == 0


def test_who_asks_for_all_of_them_is_told_all(make: Make) -> None:
    node, told = make(), set[str]()

    def tell(name: str) -> Any:
        return lambda _: told.add(name)

    names = ("deadline", "liveliness", "matched", "incompatible_qos")
    often = QoSProfile(depth=10, deadline=SHORT)
    receiver = subscription(node, often, **{name: tell(name) for name in (*names, "message_lost")})
    assert len(receiver.event_handlers) == 5
    sender = publisher(node, often, **{name: tell(f"offered {name}") for name in names})
    assert len(sender.event_handlers) == 4
    publisher(node)
    until(sender.get_subscription_count)
    sender.publish(Int64())
    wanted = {"deadline", "liveliness", "matched", "incompatible_qos"}
    spun_until(node, lambda: told >= {*wanted, "offered deadline", "offered matched"})

"""What publishers and subscriptions are told beside data: whom they cannot meet."""

from __future__ import annotations

from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros_doing import Make, spun_until
from std_msgs.msg import Int64


def publisher(node: Node, qos: QoSProfile | int = 10, **told: Any) -> Any:
    return node.create_publisher(Int64, "a", qos, event_callbacks=PublisherEventCallbacks(**told))


def subscription(node: Node, qos: QoSProfile | int = 10, **told: Any) -> Any:
    callbacks = SubscriptionEventCallbacks(**told)
    return node.create_subscription(Int64, "a", lambda _: None, qos, event_callbacks=callbacks)


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

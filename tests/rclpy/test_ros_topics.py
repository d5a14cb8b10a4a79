"""Messages: of the right type, whole, and as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rclpy.duration import Duration
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_doing import Make, spun_until, until
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import ColorRGBA, Empty, Int64, String

LATENT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def passed(node: Node, message: Any, qos: QoSProfile | int = 10, **choices: Any) -> Any:
    """What arrives of a message."""
    got: list[Any] = []
    kind = type(message)
    subscription = node.create_subscription(kind, "passed", got.append, qos, **choices)
    publisher = node.create_publisher(kind, "passed", qos)
    until(lambda: publisher.get_subscription_count() and subscription.get_publisher_count())
    publisher.publish(message)
    spun_until(node, lambda: got)
    node.destroy_subscription(subscription)
    node.destroy_publisher(publisher)
    return got[0]


@pytest.mark.parametrize(
    "message",
    [
        Empty(),
        String(),
        String(data="Grüße, 世界 🤖"),
        String(data="x" * 100_000),
        Int64(data=-(2**63)),
        ColorRGBA(r=0.5, g=float("inf"), a=-0.0),
        JointState(name=["a", "", "é"], position=[1.5, -2.5e-300], effort=[]),
    ],
)
def test_a_message_arrives_as_it_was_sent(make: Make, message: Any) -> None:
    got = passed(make(), message)
    assert got == message
    assert got is not message


@pytest.mark.parametrize("reliability", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_a_picture_is_whole(make: Make, reliability: ReliabilityPolicy) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, 640 * 480 * 3, np.uint8)
    picture = Image(height=480, width=640, encoding="rgb8", step=1920, data=pixels.tobytes())
    got = passed(make(), picture, QoSProfile(depth=1, reliability=reliability))
    assert bytes(got.data) == pixels.tobytes()
    assert (got.height, got.width, got.encoding) == (480, 640, "rgb8")


def test_the_bytes_of_a_message(make: Make) -> None:
    """They are taken and sent as they are."""
    node, got = make(), list[Any]()
    raw = passed(node, String(data="bytes"), raw=True)
    assert isinstance(raw, bytes)
    node.create_subscription(String, "again", got.append, 10)
    publisher = node.create_publisher(String, "again", 10)
    until(publisher.get_subscription_count)
    publisher.publish(raw)
    spun_until(node, lambda: got)
    assert got == [String(data="bytes")]


def test_a_method_and_a_coroutine_may_hear(make: Make) -> None:
    node, got = make(), list[str]()

    class Ear:
        def heard(self, message: String) -> None:
            got.append(f"method {message.data}")

    async def later(message: String) -> None:
        got.append(f"coroutine {message.data}")

    node.create_subscription(String, "a", Ear().heard, 10)
    node.create_subscription(String, "a", later, 10)
    publisher = node.create_publisher(String, "a", 10)
    until(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(String(data="x"))
    spun_until(node, lambda: len(got) == 2)
    assert sorted(got) == ["coroutine x", "method x"]


def test_what_is_no_message(make: Make) -> None:
    node = make()
    publisher = node.create_publisher(String, "a", 10)
    for wrong in (Int64(), "text", None, String):
        with pytest.raises(TypeError):
            publisher.publish(wrong)


@pytest.mark.parametrize("kind", [Empty, None, "text", int])
def test_what_is_no_type(make: Make, kind: Any) -> None:
    """A type is a class of a message; the error says so."""
    node = make()
    if kind is Empty:
        node.create_publisher(kind, "a", 1)
        return
    with pytest.raises(Exception, match=r"type|msg|message|attribute") as caught:
        node.create_publisher(kind, "a", 1)
    assert not isinstance(caught.value, KeyError)
    with pytest.raises(Exception, match=r"type|msg|message|attribute"):
        node.create_subscription(kind, "a", print, 1)
    assert [one.topic_name for one in node.publishers if one.topic_name == "/a"] == []


def test_a_callback_that_takes_too_much(make: Make) -> None:
    node = make()
    with pytest.raises((RuntimeError, TypeError)):
        node.create_subscription(String, "a", lambda a, b, c: None, 1)


def test_who_is_destroyed_sends_no_more(make: Make) -> None:
    node = make()
    publisher = node.create_publisher(String, "a", 10)
    assert node.destroy_publisher(publisher)
    assert not node.destroy_publisher(publisher)
    with pytest.raises(InvalidHandle):
        publisher.publish(String())
    subscription = node.create_subscription(String, "a", print, 10)
    assert node.destroy_subscription(subscription)
    assert not node.destroy_subscription(subscription)
    other = node.create_publisher(String, "a", 10)
    node.destroy_node()
    with pytest.raises(InvalidHandle):
        other.publish(String())


def test_waiting_until_all_have_it(make: Make) -> None:
    node = make()
    publisher = node.create_publisher(String, "a", 10)
    node.create_subscription(String, "a", print, 10)
    until(publisher.get_subscription_count)
    for _ in range(5):
        publisher.publish(String())
    assert publisher.wait_for_all_acked(Duration(seconds=20))
    assert publisher.wait_for_all_acked()
    assert publisher.wait_for_all_acked(Duration(seconds=-1))


def test_two_types_on_one_topic_do_not_meet(make: Make) -> None:
    node, got = make(), list[Any]()
    node.create_subscription(Int64, "a", got.append, LATENT)
    publisher = node.create_publisher(String, "a", LATENT)
    publisher.publish(String(data="x"))
    same = node.create_subscription(String, "a", got.append, LATENT)
    until(same.get_publisher_count)
    spun_until(node, lambda: got)
    assert got == [String(data="x")]
    assert publisher.get_subscription_count() == 1


def test_another_callback(make: Make) -> None:
    node, got = make(), list[str]()
    subscription = node.create_subscription(String, "a", lambda m: got.append("first"), 10)
    subscription.callback = lambda m: got.append("second")
    publisher = node.create_publisher(String, "a", 10)
    until(publisher.get_subscription_count)
    publisher.publish(String())
    spun_until(node, lambda: got)
    assert got == ["second"]

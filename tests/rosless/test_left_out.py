"""What is not there says so, by the name under which it was asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import rclpy
from rclpy.clock import Clock
from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosless.left_out import LeftOut
from std_msgs.msg import String

TOPICS_ALONE = ["--ros-args", "-r", "rostopic://a:=b"]


@pytest.mark.parametrize(
    "name", ["tf2_ros", "rclpy.lifecycle", "launch.frontend.parse_substitution"]
)
def test_a_module(name: str) -> None:
    with pytest.raises(ImportError, match=f"{name.rpartition('.')[0]}.* is not in rosless"):
        importlib.import_module(name)


@pytest.mark.parametrize("name", ["rclpy.qos.qos_check_compatible", "launch_ros.actions.SetRemap"])
def test_a_name_in_a_module(name: str) -> None:
    module, _, short = name.rpartition(".")
    with pytest.raises(NotImplementedError, match=f"{name} is not in rosless"):
        getattr(importlib.import_module(module), short)


def test_a_module_that_was_not_imported_before_is_found() -> None:
    from rclpy import expand_topic_name

    assert expand_topic_name.__name__ == "rclpy.expand_topic_name"
    assert not hasattr(rclpy, "_nothing")


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda node: node.set_descriptor, "Node.set_descriptor"),
        (lambda node: Clock().sleep_for, "Clock.sleep_for"),
        (lambda node: PublisherEventCallbacks(matched=print), "PublisherEventCallbacks.matched"),
        (
            lambda node: node.create_publisher(String, "a", 1, qos_overriding_options=print),
            "create_publisher.qos_overriding_options",
        ),
        (lambda node: Node("other", enable_logger_service=True), "Node.enable_logger_service"),
        (lambda node: Node("other", cli_args=TOPICS_ALONE), "a rule for topics or services alone"),
        (lambda node: QoSProfile(depth=1, deadline=Duration(seconds=1)), "QoSProfile.deadline"),
        (lambda node: node.get_service_names_and_types_by_node, "Node.get_service_names"),
        (
            lambda node: node.create_subscription(String, "a", lambda message, info: None, 1),
            "callback of more than the message",
        ),
        (lambda node: node.get_logger().info("x", once=True), "log.once"),
    ],
)
def test_a_method_or_an_option(ask: Callable[[Node], Any], named: str) -> None:
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    with Node("asked") as node, pytest.raises(LeftOut, match=named):
        ask(node)
    rclpy.shutdown()

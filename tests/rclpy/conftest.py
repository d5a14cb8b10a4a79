"""Each test has ROS to itself: a context that is its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import rclpy
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from ros_doing import Make, Spin, Spinner, spinning


@pytest.fixture(autouse=True)
def _initialised() -> Iterator[None]:
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    yield
    try_shutdown()


@pytest.fixture
def make(_initialised: None) -> Iterator[Make]:
    """Nodes, that go at the end."""
    with ExitStack() as nodes:

        def made(name: str = "node", **choices: Any) -> Node:
            node = Node(name, **choices)
            nodes.callback(node.destroy_node)
            return node

        yield made


@pytest.fixture
def spin(make: Make) -> Iterator[Spin]:
    """Nodes are spun by another thread until the end."""
    with ExitStack() as spinners:

        def begun(*nodes: Node, executor: Executor | None = None) -> Spinner:
            return spinners.enter_context(spinning(*nodes, executor=executor))

        yield begun

"""What every node of the cell does alike: parameters, latched topics, diagnostics, life and end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rclpy.utilities import try_shutdown

import calibration
from calibration import Cell, load_cell
from policy.experience.errors import MISTAKES

BASE = "base"  # the frame everything is told in
ROOT = Path(calibration.__file__).resolve().parents[1]  # wherever colcon has put this file
CELL = str(ROOT / "calibration/cells/twin.yaml")
# A late joiner is told the last one.
LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
EVERY = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
# To whoever comes late, too: an episode begins before all who write it down have met all others.
KEPT = QoSProfile(
    depth=20, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
PICTURES = QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT)

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
Health = tuple[bytes, str, Mapping[str, object]]  # level, in words, in figures


def parameter(
    node: Node,
    name: str,
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare it, described and bounded, and give its value. It is looked at once: to set it later
    would change nothing, and is refused."""
    descriptor = ParameterDescriptor(description=description, read_only=True)
    if low is not None and high is not None:
        if isinstance(default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
        else:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high))
            ]
    return node.declare_parameter(name, default, descriptor).value


def cell_of(node: Node) -> Cell:
    return load_cell(Path(parameter(node, "cell", CELL, "cell file")))


def nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def stamp(ns: int) -> Any:
    return Time(nanoseconds=ns).to_msg()


def now_ns(node: Node) -> int:
    return int(node.get_clock().now().nanoseconds)


class Diagnostics:
    """Publishes what `health` says, once a second."""

    def __init__(self, node: Node, health: Callable[[], Health]) -> None:
        self._node, self._health = node, health
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        node.create_timer(1.0, self._tell)

    def _tell(self) -> None:
        level, words, figures = self._health()
        name = self._node.get_fully_qualified_name().strip("/")
        values = [KeyValue(key=key, value=str(value)) for key, value in figures.items()]
        status = DiagnosticStatus(level=level, name=name, message=words, values=values)
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)


def run(make: Callable[[], Node], args: list[str] | None = None) -> None:
    """A node's whole life. What is wrong with its parameters or files ends it with a line."""
    rclpy.init(args=args)
    try:
        try:
            node = make()
        except MISTAKES as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass
        finally:
            node.destroy_node()
    finally:
        try_shutdown()

"""Where a node's clock takes its time from: the system, or /clock where use_sim_time says so."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import SetParametersResult
from rosgraph_msgs.msg import Clock as ClockMsg

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import ROSClock
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time

if TYPE_CHECKING:
    from rclpy.node import Node

NAME, TOPIC = "use_sim_time", "/clock"
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class TimeSource:
    def __init__(self, node: Node, clock: ROSClock) -> None:
        self._node, self._clock = weakref.ref(node), clock
        self._heard: Any = None
        self._group = MutuallyExclusiveCallbackGroup()  # time goes on whatever else is running
        simulated = node.declare_parameter(NAME, False)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)
        self._apply([simulated])

    @staticmethod
    def _check(parameters: list[Parameter]) -> SetParametersResult:
        wrong = any(one.name == NAME and not isinstance(one.value, bool) for one in parameters)
        return SetParametersResult(successful=not wrong, reason=f"{NAME} must be a bool")

    def _apply(self, parameters: list[Parameter]) -> None:
        node = self._node()
        for one in parameters:
            if one.name != NAME or node is None or one.value == (self._heard is not None):
                continue
            if one.value:
                self._heard = node.create_subscription(
                    ClockMsg, TOPIC, self._hear, LATEST, callback_group=self._group
                )
            else:
                node.destroy_subscription(self._heard)
                self._heard = None
            self._clock._set_ros_time_is_active(one.value)

    def _hear(self, message: ClockMsg) -> None:
        self._clock.set_ros_time_override(Time.from_msg(message.clock))
        if (node := self._node()) is not None:
            node._ros_wake()  # timers by this clock may be due

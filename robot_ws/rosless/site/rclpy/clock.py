"""Clocks: the system's, a steady one, and ROS's, which can follow /clock."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import SetParametersResult
from rosgraph_msgs.msg import Clock as ClockMsg
from rosless.left_out import Absent

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import ClockType, Time

if TYPE_CHECKING:
    from rclpy.node import Node

NAME, TOPIC = "use_sim_time", "/clock"
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Clock:
    sleep_until, sleep_for, create_jump_callback = Absent(), Absent(), Absent()

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> Clock:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        return super().__new__(ROSClock if clock_type == ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self.clock_type = clock_type
        self.on_jump: list[Callable[[], None]] = []  # back, or from one source of time to another

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def _now_ns(self) -> int:
        steady = self.clock_type == ClockType.STEADY_TIME
        return time.monotonic_ns() if steady else time.time_ns()

    def now(self) -> Time:
        return Time(nanoseconds=self._now_ns(), clock_type=self.clock_type)


class ROSClock(Clock):
    """The system's time, until a time source says that /clock tells it."""

    def __new__(cls) -> ROSClock:
        return object.__new__(cls)

    def __init__(self, *, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        super().__init__(clock_type=ClockType.ROS_TIME)
        self.ros_time_is_active, self._told = False, 0

    def _now_ns(self) -> int:
        return self._told if self.ros_time_is_active else time.time_ns()

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        changes = enabled != self.ros_time_is_active
        self.ros_time_is_active = enabled
        self._jump(changes)

    def set_ros_time_override(self, time_: Time) -> None:
        if time_.clock_type != ClockType.ROS_TIME:
            raise TypeError("Time must be of ROS_TIME type")
        before, self._told = self._told, time_.nanoseconds
        self._jump(self.ros_time_is_active and self._told < before)

    def _jump(self, jumps: bool) -> None:
        for call in list(self.on_jump) if jumps else ():
            call()


class TimeSource:
    """Where a node's clock takes its time from: from /clock, where use_sim_time says so."""

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

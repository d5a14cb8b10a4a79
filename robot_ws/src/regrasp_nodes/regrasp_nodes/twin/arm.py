"""The twin's arm under the names that MoveIt Servo, Cartesian controllers and arm drivers use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.node import Node
from regrasp_msgs.msg import ArmStatus
from sensor_msgs.msg import JointState

from policy.contract import Invalid
from sim.twin import ArmState, Twin

from ..wiring import BASE, LATCHED, nanoseconds, stamp
from .commands import Customs
from .stamps import Stamps

Say = Callable[[Any, Any], None]
MODES = {
    "ready": ArmStatus.READY, "protective_stop": ArmStatus.PROTECTIVE_STOP,
    "emergency_stop": ArmStatus.EMERGENCY_STOP,
}  # fmt: skip
STATUS_NS = 1_000_000_000


class Arm:
    """`say` publishes, from the twin's own thread."""

    def __init__(self, node: Node, twin: Twin, stamps: Stamps, say: Say) -> None:
        self._node, self._arm, self._stamps, self._say = node, twin.arm, stamps, say
        self.customs = Customs(BASE, twin.config.drive.watchdog)
        self._names = [f"joint{i}" for i in range(twin.cell.arm.joints)]
        self._mode: tuple[int, str] | None = None
        self._status_ns = 0
        self._joints = node.create_publisher(JointState, "/joint_states", 10)
        self._tcp = node.create_publisher(PoseStamped, "/tcp_pose", 10)
        self._status = node.create_publisher(ArmStatus, "/arm/status", LATCHED)
        # Of the commands that wait, the newest counts.
        node.create_subscription(TwistStamped, "/servo_node/delta_twist_cmds", self._on_twist, 1)
        node.create_subscription(PoseStamped, "/target_pose", self._on_pose, 1)

    def publish(self, state: ArmState) -> None:
        when = stamp(self._stamps.ros_ns(state.stamp_ns))
        joints = JointState(
            name=self._names, position=state.positions.tolist(),
            velocity=state.velocities.tolist(), effort=state.efforts.tolist(),
        )  # fmt: skip
        tcp = PoseStamped()
        place, turn = tcp.pose.position, tcp.pose.orientation
        place.x, place.y, place.z = state.tcp_position.tolist()
        turn.x, turn.y, turn.z, turn.w = state.tcp_orientation.tolist()
        self._tell(self._joints, joints, when)
        self._tell(self._tcp, tcp, when)
        mode = MODES[state.mode], state.reason
        if mode != self._mode or state.stamp_ns - self._status_ns >= STATUS_NS:
            self._mode, self._status_ns = mode, state.stamp_ns
            self._tell(self._status, ArmStatus(mode=mode[0], reason=mode[1]), when)

    def _tell(self, publisher: Any, message: Any, when: Any) -> None:
        message.header.frame_id, message.header.stamp = BASE, when
        self._say(publisher, message)

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = message.twist.linear, message.twist.angular
        values = [linear.x, linear.y, linear.z, angular.x, angular.y, angular.z]
        if self._passes(message.header, values):
            self._arm.twist(values[:3], values[3:])

    def _on_pose(self, message: PoseStamped) -> None:
        p, q = message.pose.position, message.pose.orientation
        values = [p.x, p.y, p.z, q.x, q.y, q.z, q.w]
        if self._passes(message.header, values, unit=slice(3, 7)):
            self._arm.pose(values[:3], values[3:])

    def _passes(self, header: Any, values: list[float], unit: slice | None = None) -> bool:
        sent, now = nanoseconds(header.stamp), self._stamps.now_ns()
        try:
            self.customs.check(header.frame_id, sent, now, values, unit)
        except Invalid as error:
            logger = self._node.get_logger()
            logger.warning(f"command refused: {error}", throttle_duration_sec=1.0)
            return False
        return True

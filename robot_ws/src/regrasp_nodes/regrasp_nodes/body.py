"""What the arm and the fingers say of themselves, as the contract's proprioception."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from calibration import Cell
from policy.contract import Entry

from .episode.acting import FloatArray, proprioception
from .poses import pose_of
from .wiring import LATEST, nanoseconds


class Body:
    def __init__(self, node: Node, cell: Cell) -> None:
        self._cell = cell
        self.pose: npt.NDArray[np.float64] | None = None  # x, y, z, yaw
        self.aperture: float | None = None
        self._stamps = [0, 0]
        node.create_subscription(PoseStamped, "/tcp_pose", self._on_pose, LATEST)
        node.create_subscription(JointState, "/gripper/joint_states", self._on_gripper, LATEST)

    def _on_pose(self, message: PoseStamped) -> None:
        self.pose, self._stamps[0] = pose_of(message), nanoseconds(message.header.stamp)

    def _on_gripper(self, message: JointState) -> None:
        """Drivers tell one width, or a way for each finger."""
        self.aperture = float(sum(message.position))
        self._stamps[1] = nanoseconds(message.header.stamp)

    @property
    def oldest_ns(self) -> int:
        """When the older of the two was read; 0 before the first."""
        return min(self._stamps)

    @property
    def newest_ns(self) -> int:
        return max(self._stamps)

    def proprio(self, entries: Sequence[Entry]) -> FloatArray | None:
        """None before both have spoken."""
        if self.pose is None or self.aperture is None:
            return None
        return proprioception(self._cell, entries, self.pose, self.aperture)

"""What the policy's node looks at: nothing whose age it cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rclpy.utilities import try_shutdown
from regrasp_msgs.msg import EpisodeState, PolicyStep
from regrasp_nodes.policy_node import PolicyNode
from regrasp_nodes.streams import header, image_of
from ros_doing import spinning, until
from sensor_msgs.msg import Image, JointState

from calibration import load_cell
from sim.env import TWIN

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
FUTURE = "pictures or poses from the future"


class Cell(Node):
    """One whose camera's clock is ahead."""

    def __init__(self) -> None:
        super().__init__("cell")
        self.ahead_ns = 5_000_000_000
        self.steps: list[PolicyStep] = []
        spec = load_cell(TWIN).interface(["front"]).observation.images[0]
        self._picture = np.zeros((spec.height, spec.width, 3), np.uint8)
        self._images = self.create_publisher(Image, "/camera/front/color/image_raw", LATEST)
        self._poses = self.create_publisher(PoseStamped, "/tcp_pose", LATEST)
        self._fingers = self.create_publisher(JointState, "/gripper/joint_states", LATEST)
        episode = self.create_publisher(EpisodeState, "/episode/state", LATCHED)
        self.create_subscription(PolicyStep, "/policy/step", self.steps.append, 10)
        self.create_timer(0.03, self._tell)
        episode.publish(EpisodeState(phase=EpisodeState.ROLLOUT, episode_id="e"))

    def _tell(self) -> None:
        now = self.get_clock().now()
        stamp = Time(nanoseconds=now.nanoseconds + self.ahead_ns).to_msg()
        pose, fingers = PoseStamped(), JointState(position=[0.04])
        pose.header.stamp = fingers.header.stamp = now.to_msg()
        pose.pose.orientation.x = 1.0
        self._images.publish(image_of(self._picture, header("front", stamp)))
        self._poses.publish(pose)
        self._fingers.publish(fingers)


@pytest.fixture
def nodes() -> Iterator[tuple[PolicyNode, Cell]]:
    rclpy.init(args=["--ros-args", "-p", "policy:=none", "-p", "images:=[front]"])
    policy, cell = PolicyNode(), Cell()
    try:
        with spinning(policy), spinning(cell):
            yield policy, cell
    finally:
        policy.destroy_node()
        cell.destroy_node()
        try_shutdown()


def test_a_picture_from_the_future_is_not_taken_for_a_fresh_one(
    nodes: tuple[PolicyNode, Cell],
) -> None:
    policy, cell = nodes
    until(lambda: policy._counts[FUTURE] > 2)
    assert not cell.steps
    cell.ahead_ns = 0
    until(lambda: cell.steps)
    assert 0 <= cell.steps[0].observation_age < 0.3

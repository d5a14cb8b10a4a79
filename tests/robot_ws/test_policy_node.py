"""What the policy's node looks at: nothing whose age it cannot tell. And whose policy it serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rclpy.utilities import try_shutdown
from regrasp_msgs.msg import EpisodeState, PolicyStep
from regrasp_nodes.policy_node import TRAINED, PolicyNode
from regrasp_nodes.streams import header, image_of
from regrasp_nodes.wiring import OK, WARN
from ros_doing import spinning, until
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from calibration import load_cell
from sim.env import TWIN

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
FUTURE = "pictures or poses from the future"
BACK = "a person went back: no offer is taken before /policy/follow"


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


class Desk(Node):
    """A learner that offers, and a person who asks."""

    def __init__(self) -> None:
        super().__init__("desk")
        self.versions: list[str] = []
        self._offers = self.create_publisher(String, "/finetune/offer", LATCHED)
        self._asked = {
            name: self.create_client(Trigger, f"/policy/{name}") for name in ("rollback", "follow")
        }
        self.create_subscription(
            String, "/policy/version", lambda told: self.versions.append(told.data), LATCHED
        )

    def offer(self, path: Path) -> None:
        self._offers.publish(String(data=str(path)))

    def ask(self, name: str) -> Trigger.Response:
        until(self._asked[name].service_is_ready)
        asked = self._asked[name].call_async(Trigger.Request())
        until(asked.done)
        return asked.result()


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


def another(number: int, folder: Path) -> Path:
    """The policy that comes along, and yet another version."""
    model = onnx.load(TRAINED)
    model.doc_string = str(number)
    path = folder / f"{number}.onnx"
    onnx.save(model, path)
    return path


def test_who_goes_back_is_not_overtaken_by_the_next_offer(tmp_path: Path) -> None:
    rclpy.init()
    policy, desk = PolicyNode(), Desk()
    offers = [another(number, tmp_path) for number in range(3)]
    try:
        with spinning(policy), spinning(desk):
            until(lambda: desk.versions)
            told = desk.ask("rollback")
            assert not told.success
            assert "wanted a policy that served before" in told.message
            desk.offer(offers[0])
            until(lambda: len(desk.versions) == 2)
            told = desk.ask("rollback")
            assert told.success
            assert told.message == desk.versions[0]
            until(lambda: len(desk.versions) == 3)
            desk.offer(offers[1])
            desk.offer(offers[2])
            until(lambda: policy._offers._newest == str(offers[2]))
            assert not policy._offers._tried
            assert policy._health()[:2] == (WARN, BACK)
            assert desk.ask("follow").message == str(offers[2])
            until(lambda: len(desk.versions) == 4)
            assert desk.versions[0] == desk.versions[2]
            assert len(set(desk.versions)) == 3
            assert policy._health()[0] == OK
    finally:
        policy.destroy_node()
        desk.destroy_node()
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

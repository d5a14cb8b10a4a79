"""A twin's node under test, and who talks to it: by the public interfaces of ROS alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from control_msgs.action import GripperCommand
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.time import Time
from regrasp_nodes.twin_node import TwinNode
from ros_doing import PATIENCE_S, result, spinning, told, until
from std_msgs.msg import String
from std_srvs.srv import Trigger

COLOUR, DEPTH = "/camera/wrist/color", "/camera/wrist/aligned_depth_to_color"
START_S = 60.0  # until a process of its own is there, on a busy machine
CHEAP = {"cameras": ["wrist_depth"], "camera_rate": 5.0, "shadows": False}


def ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


class Onlooker(Node):
    """Hears topics, keeps what it heard, and asks; it commands nothing."""

    def __init__(self, **choices: Any) -> None:
        super().__init__("client", **choices)
        self.got: dict[str, list[Any]] = {}
        self._inject = self.create_publisher(String, "/twin/inject", 10)
        self._callers: dict[str, Any] = {}

    def hear(self, kind: type, topic: str, quality: Any = 10) -> list[Any]:
        if topic not in self.got:
            self.got[topic] = []
            self.create_subscription(kind, topic, self.got[topic].append, quality)
        return self.got[topic]

    def next(self, kind: type, topic: str, quality: Any = 10) -> Any:
        """One that comes from now on."""
        heard = self.hear(kind, topic, quality)
        count = len(heard)
        until(lambda: len(heard) > count)
        return heard[-1]

    def ask(self, service: str) -> Any:
        if service not in self._callers:
            self._callers[service] = self.create_client(Trigger, service)
            assert self._callers[service].wait_for_service(PATIENCE_S)
        return result(self._callers[service].call_async(Trigger.Request()))

    def place(self) -> Any:
        return self.next(PoseStamped, "/tcp_pose").pose

    def inject(self, text: str) -> None:
        until(lambda: self._inject.get_subscription_count())
        self._inject.publish(String(data=text))


class Client(Onlooker):
    """Commands the arm and the fingers, as a guard does."""

    def __init__(self, **choices: Any) -> None:
        super().__init__(**choices)
        self._twist = self.create_publisher(TwistStamped, "/servo_node/delta_twist_cmds", 1)
        self._pose = self.create_publisher(PoseStamped, "/target_pose", 1)
        self.gripper = ActionClient(self, GripperCommand, "/gripper/gripper_cmd")

    def twist(self, z: float, frame: str = "base", age: float = 0.0) -> None:
        message = TwistStamped()
        now = self.get_clock().now().nanoseconds - round(age * 1e9)
        message.header.stamp, message.header.frame_id = Time(nanoseconds=now).to_msg(), frame
        message.twist.linear.z = z
        self._twist.publish(message)

    def target(self, pose: Any) -> None:
        message = PoseStamped(pose=pose)
        message.header.stamp, message.header.frame_id = self.get_clock().now().to_msg(), "base"
        self._pose.publish(message)

    def grip(self, width: float, force: float = 0.0, **choices: Any) -> Any:
        assert self.gripper.wait_for_server(PATIENCE_S)
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = width, force
        return result(self.gripper.send_goal_async(goal, **choices))

    def health(self) -> tuple[Any, dict[str, str]]:
        def ours() -> Any:
            message = self.next(DiagnosticArray, "/diagnostics")
            return next((s for s in message.status if s.name == "twin"), None)

        status = until(ours)
        return status, {one.key: one.value for one in status.values}


@contextmanager
def talking(context: Context, **parameters: Any) -> Iterator[Client]:
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    client = Client(context=context, parameter_overrides=overrides)
    try:
        with spinning(client):
            yield client
    finally:
        client.destroy_node()


def node(context: Context, **parameters: Any) -> TwinNode:
    given = [Parameter(name, value=value) for name, value in parameters.items()]
    return TwinNode(context=context, parameter_overrides=given)


@contextmanager
def standing(**parameters: Any) -> Iterator[Client]:
    """A twin, and who talks to it; each spun by a thread of its own."""
    with told() as context:
        twin = node(context, **parameters)
        try:
            with spinning(twin), talking(context) as client:
                yield client
        finally:
            twin.destroy_node()


def ready(client: Client) -> Client:
    """The arm ready above the bin, fingers open, all in order."""
    client.inject("{}")
    client.ask("/arm/release")
    assert client.ask("/arm/clear").success
    assert client.ask("/twin/reset").success
    return client


def drive(client: Client, command: Callable[[], None], condition: Callable[[], Any]) -> None:
    """As a servo is driven: again and again."""

    def again() -> Any:
        command()
        return condition()

    until(again)


def words(**parameters: Any) -> list[str]:
    given = [["-p", f"{key}:={json.dumps(value)}"] for key, value in parameters.items()]
    return ["--ros-args", *(word for one in given for word in one)]


@contextmanager
def running(**parameters: Any) -> Iterator[Context]:
    """`rosless run` in a domain of its own, until it is told to end, and ends well."""
    domain = (int(os.environ["ROS_DOMAIN_ID"]) + 50) % 100 + 1
    command = [sys.executable, "-m", "rosless", "run", "regrasp_nodes.twin_node"]
    process = subprocess.Popen(
        [*command, *words(**parameters)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", "ROS_DOMAIN_ID": str(domain)},
    )  # fmt: skip
    context = Context()
    context.init(args=[], domain_id=domain)
    try:
        yield context
        process.send_signal(signal.SIGINT)
    except BaseException:
        process.kill()
        raise
    finally:
        said, _ = process.communicate(timeout=START_S)
        context.try_shutdown()
    assert process.returncode == 0, said
    assert "Traceback" not in said

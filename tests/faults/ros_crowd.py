"""Some nodes in one process, each saying where it is ten times a second and hearing the others:
rosless run ros_crowd.py NAME COUNT"""

from __future__ import annotations

import contextlib
import sys

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger


class Member(Node):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._speech = self.create_publisher(String, "/crowd", 10)
        self.create_subscription(String, "/crowd", self._hear, 10)
        self.create_service(Trigger, "~/ask", self._answer)
        self.create_timer(0.1, self._speak)
        self.heard: set[str] = set()

    def _speak(self) -> None:
        self._speech.publish(String(data=self.get_name()))

    def _hear(self, message: String) -> None:
        self.heard.add(message.data)

    def _answer(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = f"{len(self.heard)}"
        return response


def main(name: str, count: int) -> None:
    rclpy.init(args=[])
    executor = SingleThreadedExecutor()
    for number in range(count):
        executor.add_node(Member(f"{name}_{number}"))
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

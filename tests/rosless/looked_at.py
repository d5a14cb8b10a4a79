"""A node for others to look at: rosless run looked_at.py"""

from __future__ import annotations

import contextlib

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import SetBool


class Shown(Node):
    def __init__(self) -> None:
        super().__init__("shown", namespace="/cell")
        self.declare_parameter("speed", 1.0)
        self.declare_parameter("camera.names", ["front", "wrist"])
        self._speech = self.create_publisher(String, "words", 10)
        self.create_service(SetBool, "light", self._light)
        self.create_timer(0.05, self._speak)

    def _speak(self) -> None:
        self._speech.publish(String(data="grün"))

    def _light(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success, response.message = True, "on" if request.data else "off"
        return response


def main() -> None:
    rclpy.init()
    node = Shown()
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main()

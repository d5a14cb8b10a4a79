"""Two cameras at 30 Hz, numbered pictures, until its input ends: rosless run ros_streams.py"""

from __future__ import annotations

import sys
import threading

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image


class Cameras(Node):
    def __init__(self) -> None:
        super().__init__("cameras")
        self.frame = np.zeros((480, 640, 3), np.uint8)
        self.sent = 0
        self._says = [self.create_publisher(Image, f"/camera_{k}/image_raw", 10) for k in (0, 1)]
        self.create_timer(1 / 30, self._shoot)

    def _shoot(self) -> None:
        if not all(one.get_subscription_count() for one in self._says):
            return
        self.sent += 1
        self.frame[0, 0] = self.sent % 251
        message = Image(
            height=480, width=640, encoding="rgb8", step=1920, data=self.frame.tobytes()
        )
        message.header.stamp.sec = self.sent
        for one in self._says:
            one.publish(message)


def main() -> None:
    rclpy.init(args=[])
    node, over = Cameras(), threading.Event()

    def end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=end, daemon=True).start()
    while not over.is_set():
        rclpy.spin_once(node, timeout_sec=0.1)
    print(node.sent, flush=True)
    sys.stdin.close()


if __name__ == "__main__":
    main()

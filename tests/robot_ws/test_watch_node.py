"""The watch over a fixed camera, by its topics alone: calm, a knock, and a warning by how far."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from drawn_bin import drawn
from rclpy.node import Node
from rclpy.parameter import Parameter
from regrasp_nodes.streams import header, image_of
from regrasp_nodes.watch_node import WatchNode
from ros_doing import spinning, told, until
from sensor_msgs.msg import Image

from calibration import load_cell
from sim.env import TWIN

KNOCK = 0.012 * np.array([0.6, -0.6, 0.53])  # m
MEMORY = 5


class Camera(Node):
    """Shows its last picture again and again, and hears what is said of it."""

    def __init__(self, **choices: Any) -> None:
        super().__init__("camera", **choices)
        self._images = self.create_publisher(Image, "/camera/front/color/image_raw", 2)
        self.words = [""]
        self.stand(np.zeros(3))
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_words, 10)
        self.create_timer(0.2, self._show)

    def _on_words(self, message: DiagnosticArray) -> None:
        self.words += [status.message for status in message.status if status.name == "watch"]

    def stand(self, shift: np.ndarray) -> None:
        self._picture = drawn(shift, np.zeros(3))

    def _show(self) -> None:
        now = self.get_clock().now().to_msg()
        self._images.publish(image_of(self._picture, header("front", now)))


def test_a_knock_is_told_on_diagnostics(tmp_path: Path) -> None:
    kept = tmp_path / "watch.json"
    given = {"period": 0.1, "memory": MEMORY, "reference": str(kept)}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    with told() as context:
        watch = WatchNode(context=context, parameter_overrides=overrides)
        camera = Camera(context=context)
        try:
            with spinning(watch), spinning(camera):
                until(lambda: camera.words[-1] == "front stands where it stood", 60)
                camera.stand(KNOCK)
                until(lambda: "has moved by" in camera.words[-1], 60)
                said = camera.words[-1]
                camera.stand(np.zeros(3))
                until(lambda: camera.words[-1] == "front stands where it stood", 60)
        finally:
            camera.destroy_node()
            watch.destroy_node()
    distance = float(said.split("moved by ")[1].split(" mm")[0])
    assert abs(distance - 1e3 * np.linalg.norm(KNOCK)) < 4
    [(key, reference)] = json.loads(kept.read_text()).items()
    assert key == f"{load_cell(TWIN).fingerprint} front"
    assert math.hypot(*reference[:3]) < 0.005

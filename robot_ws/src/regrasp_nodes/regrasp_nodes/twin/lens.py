"""A camera of the twin under the names, frames and qualities of realsense-ros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from calibration.cell import Camera
from sim.twin import Frame, Twin

from ..wiring import stamp
from .stamps import Stamps

Say = Callable[[Any, Any], None]


class Lens:
    """`say` publishes, from the thread that draws."""

    def __init__(self, node: Node, name: str, twin: Twin, stamps: Stamps, say: Say) -> None:
        self._frame_id = f"{name}_color_optical_frame"
        self._stamps, self._say = stamps, say
        self._info = info_of(twin.cell.cameras[name])
        self._last: tuple[int, Any] | None = None
        driver = twin.cameras[name]
        kinds = {"color": driver.picture, "aligned_depth_to_color": driver.depth}
        self._publishers = {
            kind: [
                node.create_publisher(of, f"/camera/{name}/{kind}/{end}", qos_profile_sensor_data)
                for of, end in ((Image, "image_raw"), (CameraInfo, "camera_info"))
            ]
            for kind, wanted in kinds.items()
            if wanted
        }

    def publish(self, frame: Frame) -> None:
        # A frame that comes again has its old stamp, to the nanosecond.
        if self._last is None or self._last[0] != frame.captured_ns:
            self._last = frame.captured_ns, stamp(self._stamps.ros_ns(frame.captured_ns))
        if frame.picture is not None:
            self._send("color", "rgb8", frame.picture, 3, self._last[1])
        if frame.depth is not None:
            self._send("aligned_depth_to_color", "16UC1", frame.depth, 2, self._last[1])

    def _send(self, kind: str, encoding: str, pixels: Any, size: int, when: Any) -> None:
        images, infos = self._publishers[kind]
        height, width = pixels.shape[:2]
        image = Image(
            height=height, width=width, encoding=encoding, step=size * width, data=pixels.tobytes()
        )
        for message in (image, self._info):
            message.header.frame_id, message.header.stamp = self._frame_id, when
        self._say(images, image)
        self._say(infos, self._info)


def info_of(camera: Camera) -> CameraInfo:
    """As calibrated: how far the twin's own lens is from that, nobody is told."""
    (fx, fy), (cx, cy) = camera.focal.value, camera.centre.value
    model, terms = camera.distortion_model, [float(v) for v in camera.distortion.value]
    if model == "none":
        model, terms = "plumb_bob", [0.0] * 5
    elif model == "plumb_bob":
        terms = [*terms, 0.0][:5]  # OpenCV's fifth may be left out, ROS's not
    return CameraInfo(
        height=camera.height, width=camera.width, distortion_model=model, d=terms,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )  # fmt: skip

"""A camera's streams under the names, frames and qualities of realsense-ros, so that its driver
serves as well as ours."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from calibration.lens import Lens

COLOUR, DEPTH = "color", "aligned_depth_to_color"


def stream(camera: str, kind: str) -> str:
    return f"/camera/{camera}/{kind}"


def header(camera: str, stamp: Any) -> Header:
    """Depth is aligned to colour: it is in the same frame."""
    return Header(stamp=stamp, frame_id=f"{camera}_color_optical_frame")


class Stream:
    """Publishers of pictures, and of what the lens does to them."""

    def __init__(self, node: Node, camera: str, kind: str) -> None:
        base, quality = stream(camera, kind), qos_profile_sensor_data
        self.images = node.create_publisher(Image, f"{base}/image_raw", quality)
        self.infos = node.create_publisher(CameraInfo, f"{base}/camera_info", quality)


def image_of(pixels: npt.NDArray[Any], header: Header) -> Image:
    """Colour, or depth in millimetres."""
    height, width = pixels.shape[:2]
    return Image(
        header=header,
        height=height,
        width=width,
        encoding="rgb8" if pixels.dtype == np.uint8 else "16UC1",
        is_bigendian=int(sys.byteorder == "big"),
        step=pixels.itemsize * pixels[0].size,
        data=pixels.tobytes(),
    )


def info_of(lens: Lens, header: Header) -> CameraInfo:
    (fx, fy), (cx, cy) = lens.focal, lens.centre
    model, terms = lens.distortion_model, lens.distortion
    if model in ("none", "plumb_bob"):  # to ROS the same, with five numbers
        model, terms = "plumb_bob", (*terms, *(0.0,) * 5)[:5]
    return CameraInfo(
        header=header,
        height=lens.height,
        width=lens.width,
        distortion_model=model,
        d=[float(x) for x in terms],
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )

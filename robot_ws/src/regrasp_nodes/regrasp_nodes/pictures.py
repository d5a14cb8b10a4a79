"""The cell's pictures as nodes get them: ROS messages, kept until somebody looks at one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from sensor_msgs.msg import Image

from calibration import Cell
from policy.contract import ImageSpec, Invalid
from policy.contract.depth import depth_bytes

from .streams import COLOUR, DEPTH, stream
from .wiring import PICTURES, nanoseconds

Frame = npt.NDArray[np.uint8]
KEPT = 30  # a second of them: a step is logged with the picture that it looked at


def topic(cell: Cell, image: str) -> str:
    """Where an image of the contract (`front`, `wrist_depth`) comes from."""
    camera = cell.camera_of(image)
    return f"{stream(camera, COLOUR if image == camera else DEPTH)}/image_raw"


def frame_of(message: Image, spec: ImageSpec) -> Frame:
    """As the contract has it; what is not of the announced size or kind is refused."""
    kinds = ("16UC1", "mono16") if spec.depth else ("rgb8", "bgr8")
    shape = (message.height, message.width)
    if message.encoding not in kinds or shape != (spec.height, spec.width):
        found, wanted = f"{message.encoding} {shape}", f"{kinds[0]} {(spec.height, spec.width)}"
        remedy = "set the camera to the cell file's size"
        raise Invalid(f"images.{spec.name}", found, wanted, remedy)
    order = ">" if message.is_bigendian else "<"
    kind = np.dtype(np.uint8) if not spec.depth else np.dtype(f"{order}u2")
    channels = 1 if spec.depth else 3
    rows = np.frombuffer(message.data, np.uint8)[: message.step * shape[0]]
    pixels = rows.reshape(shape[0], message.step)[:, : shape[1] * channels * kind.itemsize]
    if spec.depth:
        millimetres = np.ascontiguousarray(pixels).view(kind)
        return depth_bytes(millimetres * np.float32(1e-3), spec.depth)
    frame = np.ascontiguousarray(pixels).reshape(*shape, 3)
    return frame if message.encoding == "rgb8" else np.ascontiguousarray(frame[..., ::-1])


def message_of(name: str, frame: Frame, stamp: Any) -> Image:
    """A contract's frame on its way to a judge: rgb8, or mono8 for depth's bytes."""
    height, width, channels = frame.shape
    message = Image(
        height=height, width=width, encoding="rgb8" if channels == 3 else "mono8",
        step=width * channels, data=frame.tobytes(),
    )  # fmt: skip
    message.header.frame_id, message.header.stamp = name, stamp
    return message


def picture_of(message: Image) -> Frame:
    """What `message_of` was given."""
    channels = {"rgb8": 3, "mono8": 1}.get(message.encoding)
    size = message.height * message.width * (channels or 0)
    if not size or len(message.data) != size:
        found = f"{message.encoding}, {len(message.data)} bytes"
        raise Invalid("image", found, "rgb8 or mono8, unpadded", "send it as the episodes do")
    frame = np.frombuffer(message.data, np.uint8)
    return frame.reshape(message.height, message.width, channels or 1)


class Eyes:
    """The latest messages of the images in `specs`, by capture stamp."""

    def __init__(
        self,
        node: Node,
        cell: Cell,
        specs: Sequence[ImageSpec],
        seen: Callable[[str, int], None] | None = None,
    ) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self._kept: dict[str, deque[Image]] = {name: deque(maxlen=KEPT) for name in self.specs}
        self._seen = seen
        for name in self.specs:
            node.create_subscription(
                Image, topic(cell, name), lambda m, name=name: self._take(name, m), PICTURES
            )

    def _take(self, name: str, message: Image) -> None:
        kept = self._kept[name]
        if kept and nanoseconds(message.header.stamp) <= nanoseconds(kept[-1].header.stamp):
            if nanoseconds(message.header.stamp) == nanoseconds(kept[-1].header.stamp):
                return  # a frozen camera repeats itself: the picture is as old as it was
            kept.clear()  # the clock went back
        if kept and np.array_equal(kept[-1].data, message.data):
            return  # without new noise, it is the old picture under a new stamp
        kept.append(message)
        if self._seen is not None:
            self._seen(name, nanoseconds(message.header.stamp))

    def newest_ns(self, name: str) -> int | None:
        """When the newest was taken."""
        kept = self._kept[name]
        return nanoseconds(kept[-1].header.stamp) if kept else None

    def frame(self, name: str, stamp_ns: int) -> Frame | None:
        """The one that was taken then, if it is still known."""
        for message in reversed(self._kept[name]):
            if nanoseconds(message.header.stamp) == stamp_ns:
                return frame_of(message, self.specs[name])
        return None

"""What a camera tells of its own place while the cell works: a fixed one by the bin's edges in its
picture, the hand's by depth, whenever the arm stands still."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import Image

from calibration import Cell
from calibration.cell import DEPTH
from calibration.records import motion
from calibration.registration import Registration
from calibration.rim_depth import register_depth
from calibration.rim_picture import register_picture
from policy.contract import Invalid
from policy.contract.depth import depth_metres

from .pictures import frame_of, topic
from .poses import seven_of
from .wiring import EVERY, PICTURES, nanoseconds

Array = npt.NDArray[np.float64]
STILL_NS, STILL = 400_000_000, 5e-4  # the arm has been within so many m for so long
KEPT = 400  # poses


class Looks:
    """The newest message of a camera, and what it says of the camera's place."""

    def __init__(self, node: Node, cell: Cell, name: str) -> None:
        self._cell, self._camera = cell, cell.cameras[name]
        self._wrist = self._camera.mount == "wrist"
        if self._wrist and self._camera.depth is None:
            wanted = "a camera that measures distance, or one that stands"
            raise Invalid(f"cameras.{name}.depth", None, wanted, "watch another")
        image = f"{name}{DEPTH}" if self._wrist else name
        self._spec = cell.interface([image]).observation.images[0]
        self._image: Image | None = None
        self._poses: deque[tuple[int, Array]] = deque(maxlen=KEPT)
        node.create_subscription(Image, topic(cell, image), self._on_image, PICTURES)
        if self._wrist:
            node.create_subscription(PoseStamped, "/tcp_pose", self._on_pose, EVERY)

    def _on_image(self, message: Image) -> None:
        self._image = message

    def _on_pose(self, message: PoseStamped) -> None:
        self._poses.append((nanoseconds(message.header.stamp), motion(seven_of(message))))

    def take(self) -> tuple[Image, Array | None] | None:
        """A picture that was not taken before, and where the arm stood; None if there is none."""
        image, pose = self._image, None
        if image is None:
            return None
        if self._wrist:
            pose = self._standing(nanoseconds(image.header.stamp))
            if pose is None:
                return None
        self._image = None
        return image, pose

    def _standing(self, taken: int) -> Array | None:
        near = [pose for when, pose in self._poses if abs(when - taken) < STILL_NS]
        if not near or self._poses[0][0] > taken - STILL_NS or self._poses[-1][0] < taken:
            return None
        places = np.array([pose[:3, 3] for pose in near])
        return near[len(near) // 2] if np.ptp(places, axis=0).max() < STILL else None

    def register(self, image: Image, pose: Array | None) -> Registration:
        """Raises where too little of the bin is seen. For a thread of its own."""
        frame, camera, box = frame_of(image, self._spec), self._camera, self._cell.bin
        if pose is None:
            return register_picture([frame], camera, box, near=True)
        assert self._spec.depth is not None
        metres = depth_metres(frame, self._spec.depth)
        return register_depth([metres], [(pose[:3, 3], pose[:3, :3])], camera, box)

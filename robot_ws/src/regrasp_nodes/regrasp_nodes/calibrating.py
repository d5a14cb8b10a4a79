"""The hands and eyes of a calibration: the cell's, by ROS; the arm moves through the guard.
Blocking, for a thread of its own beside the executor's."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from calibration import Cell
from calibration.board import Picture
from calibration.guided import ASKS, Place
from calibration.records import motion
from calibration.streams import Streams
from policy.contract import ImageSpec

from .episode.routine import Interrupted
from .pictures import frame_of, message_of, topic
from .poses import lean_of, pose_message_of, pose_of, seven_of
from .reach import LOOK_S, Reach
from .wiring import EVERY, LATCHED, PICTURES, nanoseconds, now_ns, stamp

Array = npt.NDArray[np.float64]
SETTLE_S = 0.5  # after a way, before a picture: the arm has stopped to swing
KEPT = 1000  # poses of the TCP: some seconds
PERSON_S = 3600.0  # that a person may take
PICTURE_S = 60.0
ATTEMPTS, AGAIN_S = 3, 1.0  # to reach a pose
SPEED = 0.25  # m/s: nobody is in a hurry with a board in the hand


class Calibrating:
    """A `calibration.guided.Helper`. `go` is called when the person has done what was asked."""

    def __init__(self, node: Node, cell: Cell, camera: str) -> None:
        self._node, self._camera = node, camera
        self._spec: ImageSpec = cell.interface([camera]).observation.images[0]
        self.reach = Reach(node, cell, [camera])
        self._done = threading.Event()
        self._poses: deque[tuple[int, PoseStamped]] = deque(maxlen=KEPT)
        self._image: tuple[int, Image] | None = None  # when it arrived
        self._recorded: dict[str, list[Any]] | None = None
        self._asks = node.create_publisher(String, "/calibration/asks", LATCHED)
        self._shown = node.create_publisher(Image, "/calibration/picture", 1)
        node.create_service(Trigger, "~/go", self._go)
        node.create_subscription(PoseStamped, "/tcp_pose", self._on_pose, EVERY)
        node.create_subscription(Image, topic(cell, camera), self._on_image, PICTURES)
        node.create_subscription(JointState, "/joint_states", self._on_joints, EVERY)
        node.create_subscription(
            TwistStamped, "/servo_node/delta_twist_cmds", self._on_twist, EVERY
        )

    # In, in the executor's thread ---------------------------------------------------------------

    def _go(self, _: Any, response: Any) -> Any:
        self._done.set()
        response.success = True
        return response

    def _on_pose(self, message: PoseStamped) -> None:
        when = nanoseconds(message.header.stamp)
        self._poses.append((when, message))
        self._record("tcp", [1e-9 * when, *seven_of(message)])

    def _on_image(self, message: Image) -> None:
        now = now_ns(self._node)
        self._image = now, message
        self._record("frames", (1e-9 * now, message))

    def _on_joints(self, message: JointState) -> None:
        if len(message.effort) == len(message.position):
            when = 1e-9 * nanoseconds(message.header.stamp)
            self._record("joints", [when, *message.position, *message.effort])

    def _on_twist(self, message: TwistStamped) -> None:
        linear, angular = message.twist.linear, message.twist.angular
        when = 1e-9 * nanoseconds(message.header.stamp)
        row = [when, linear.x, linear.y, linear.z, angular.x, angular.y, angular.z]
        self._record("commands", row)

    def _record(self, name: str, row: Any) -> None:
        if self._recorded is not None:
            self._recorded[name].append(row)

    # What the procedure asks --------------------------------------------------------------------

    def ask(self, place: Place) -> None:
        self.say(f"please {ASKS[place].format(camera=self._camera)}; then call /calibration/go")
        self._done.clear()
        words = f"{place} {self._camera}" if place == "shown" else place
        self._asks.publish(String(data=words))
        self._until(self._done.is_set, "nobody called /calibration/go")

    def frame(self) -> Picture:
        before = self._image
        self._until(lambda: self._image is not before, "no picture came", PICTURE_S)
        assert self._image is not None
        return frame_of(self._image[1], self._spec)

    def show(self, picture: Picture) -> None:
        message = message_of(self._camera, picture, stamp(now_ns(self._node)))
        self._shown.publish(message)

    def move(self, tcp: Array) -> str:
        wanted, why = pose_message_of(tcp), ""
        for _ in range(ATTEMPTS):
            self._until(self._ready, "the guard was not armed again")
            try:
                self.reach.move(pose_of(wanted), speed=SPEED, lean=lean_of(wanted).tolist())
            except Interrupted as error:
                if self.reach.stopping.is_set():
                    raise
                why = str(error)  # held for a moment, or stopped: a person clears that
                self.reach.stopping.wait(AGAIN_S)
            else:
                return ""
        return why

    def look(self) -> tuple[Picture, Array]:
        after = now_ns(self._node) + round(SETTLE_S * 1e9)

        def fresh() -> bool:
            image = self._image
            return image is not None and nanoseconds(image[1].header.stamp) > after

        self._until(fresh, "the camera shows nothing new", PICTURE_S)
        assert self._image is not None
        image = self._image[1]
        taken = nanoseconds(image.header.stamp)
        self._until(lambda: self._poses[-1][0] >= taken, "nothing was heard of the arm", PICTURE_S)
        _, nearest = min(list(self._poses), key=lambda pose: abs(pose[0] - taken))
        return frame_of(image, self._spec), motion(seven_of(nearest))

    def swing(self, tcp: Sequence[Array]) -> tuple[Streams, list[tuple[float, Picture]]]:
        recorded: dict[str, list[Any]] = {"tcp": [], "frames": [], "joints": [], "commands": []}
        self._recorded = recorded
        try:
            for pose in tcp:
                self.move(pose)
        finally:
            self._recorded = None
        frames = [(when, frame_of(image, self._spec)) for when, image in recorded.pop("frames")]
        rows = {name: np.array(told, float) for name, told in recorded.items() if told}
        # Stamps are the sender's: one may overtake another.
        ordered = {name: told[np.argsort(told[:, 0])] for name, told in rows.items()}
        return Streams(**ordered), frames

    def say(self, text: str) -> None:
        self._node.get_logger().info(text)

    def begin(self) -> None:
        """Until all is there that is needed."""

        def there() -> bool:
            return self._ready() and bool(self._poses) and self._image is not None

        self._until(there, "guard, arm and camera did not come up")

    def _ready(self) -> bool:
        state = self.reach.guard
        return state is not None and bool(state.mode == state.READY)

    def _until(self, met: Callable[[], bool], otherwise: str, seconds: float = PERSON_S) -> None:
        """The guard moves the arm; who calibrates may wait for it as long as it takes."""
        start = time.monotonic()
        while not met():
            if self.reach.stopping.wait(LOOK_S):
                raise Interrupted("told to stop")
            if time.monotonic() - start > seconds:
                raise Interrupted(f"{otherwise} for {seconds:.0f} s")

"""The gripper's driver, as the guard asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from control_msgs.action import GripperCommand
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

Finished = Callable[[], None] | None


class Gripper:
    """`refused`: they did not do as they were told, or not to the end."""

    def __init__(self, node: Node, force: float, refused: Callable[[], None]) -> None:
        self._node, self._force, self._refused = node, force, refused
        self._client = ActionClient(node, GripperCommand, "/gripper/gripper_cmd")
        self._waits: tuple[float, Finished] | None = None  # for the driver to be there
        self._handle: Any = None  # of what is not done yet

    def go(self, width: float, finished: Finished = None) -> None:
        self._waits = width, finished
        self.look()

    def look(self) -> None:
        """Each tick: is there something to say, and somebody to say it to?"""
        if self._waits is None:
            return
        if not self._client.server_is_ready():
            self._node.get_logger().error("no gripper answers", throttle_duration_sec=1.0)
            return
        (width, finished), self._waits = self._waits, None
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = width, self._force

        def answered(future: Future) -> None:
            handle = future.result()
            if not handle.accepted:
                self._refused()
                self._node.get_logger().error(f"the gripper refuses to go to {width} m")
                return
            self._handle = handle
            handle.get_result_async().add_done_callback(lambda _: ended(handle))

        def ended(handle: Any) -> None:
            if self._handle is handle:
                self._handle = None
            if finished is not None:
                finished()

        self._client.send_goal_async(goal).add_done_callback(answered)

    def stop(self) -> None:
        """What they have closed upon they keep."""
        if self._waits is None and self._handle is None:
            return
        if self._handle is not None:
            self._handle.cancel_goal_async()
        self._waits = self._handle = None
        self._refused()

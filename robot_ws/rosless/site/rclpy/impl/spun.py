"""Who is spun, and by whom."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node


class Spun:
    """The part of a node that is about its executor."""

    _ros_executor: weakref.ref[Executor] | None = None

    @property
    def executor(self) -> Executor | None:
        return self._ros_executor() if self._ros_executor is not None else None

    @executor.setter
    def executor(self, new_executor: Executor | None) -> None:
        current = self.executor
        if current is not None and current is not new_executor:
            current.remove_node(cast("Node", self))
        self._ros_executor = None if new_executor is None else weakref.ref(new_executor)
        if new_executor is not None:
            new_executor.add_node(cast("Node", self))

    def _ros_wake(self) -> None:
        if (executor := self.executor) is not None:
            executor.wake()

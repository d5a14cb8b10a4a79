"""A goal as its server sees it: accepted, executing, perhaps canceling, and then one of succeeded,
canceled and aborted; no other way is taken, whoever asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalInfo, GoalStatus

from rclpy.impl.services import Header

if TYPE_CHECKING:
    from rclpy.action.server import ActionServer

ACCEPTED, EXECUTING = GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING
CANCELING, SUCCEEDED = GoalStatus.STATUS_CANCELING, GoalStatus.STATUS_SUCCEEDED
ABORTED, CANCELED = GoalStatus.STATUS_ABORTED, GoalStatus.STATUS_CANCELED
# From where each can be reached.
BEFORE = {
    EXECUTING: (ACCEPTED,),
    CANCELING: (ACCEPTED, EXECUTING),
    SUCCEEDED: (EXECUTING, CANCELING),
    ABORTED: (EXECUTING, CANCELING),
    CANCELED: (CANCELING,),
}
NAMES = ("UNKNOWN", "ACCEPTED", "EXECUTING", "CANCELING", "SUCCEEDED", "CANCELED", "ABORTED")


class InvalidTransition(RuntimeError):
    """A goal cannot go there from where it is."""


class ServerGoalHandle:
    def __init__(self, server: ActionServer, info: GoalInfo, request: Any) -> None:
        self._server, self.info, self.request = server, info, request
        self.goal_id = info.goal_id
        self.status: int = ACCEPTED
        self._lock = threading.Lock()
        self.ended = float("inf")  # when it was over
        self.result: Any = None
        self.asking: list[Header] = []  # who waits for the result

    @property
    def is_active(self) -> bool:
        return self.status in (ACCEPTED, EXECUTING, CANCELING)

    @property
    def is_cancel_requested(self) -> bool:
        return bool(self.status == CANCELING)

    def execute(self, execute_callback: Callable[..., Any] | None = None) -> None:
        # One that is to be cancelled before it began is executed, to see that.
        if not self.is_cancel_requested:
            self.move(EXECUTING)
        self._server.notify_execute(self, execute_callback)

    def publish_feedback(self, feedback: Any) -> None:
        self._server.publish_feedback(self, feedback)

    def succeed(self, response: Any = None) -> None:
        self.move(SUCCEEDED, response)

    def abort(self, response: Any = None) -> None:
        self.move(ABORTED, response)

    def canceled(self, response: Any = None) -> None:
        self.move(CANCELED, response)

    def move(self, status: int, response: Any = None) -> None:
        with self._lock:
            if self.status not in BEFORE[status]:
                raise InvalidTransition(
                    f"goal: found {NAMES[self.status]}, from where it cannot be {NAMES[status]}"
                )
            self.status = status
        self._server.publish_status()
        if response is not None:
            self._server.notify_result(self, response)

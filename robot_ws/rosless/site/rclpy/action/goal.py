"""A goal as its server sees it: accepted, executing, perhaps canceling, and then one of succeeded,
canceled and aborted; no other way is taken, whoever asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalInfo, GoalStatus
from rosless.wire.calls import Header

if TYPE_CHECKING:
    from rclpy.action.server import ActionServer


class GoalEvent(IntEnum):
    EXECUTE = 0
    CANCEL_GOAL = 1
    SUCCEED = 2
    ABORT = 3
    CANCELED = 4


_S, _E = GoalStatus, GoalEvent
NEXT = {
    (_S.STATUS_ACCEPTED, _E.EXECUTE): _S.STATUS_EXECUTING,
    (_S.STATUS_ACCEPTED, _E.CANCEL_GOAL): _S.STATUS_CANCELING,
    (_S.STATUS_EXECUTING, _E.CANCEL_GOAL): _S.STATUS_CANCELING,
    (_S.STATUS_EXECUTING, _E.SUCCEED): _S.STATUS_SUCCEEDED,
    (_S.STATUS_EXECUTING, _E.ABORT): _S.STATUS_ABORTED,
    (_S.STATUS_CANCELING, _E.SUCCEED): _S.STATUS_SUCCEEDED,
    (_S.STATUS_CANCELING, _E.ABORT): _S.STATUS_ABORTED,
    (_S.STATUS_CANCELING, _E.CANCELED): _S.STATUS_CANCELED,
}
NAMES = {
    getattr(_S, key): key.removeprefix("STATUS_") for key in dir(_S) if key.startswith("STATUS")
}


class InvalidTransition(RuntimeError):
    """A goal cannot go there from where it is."""


class ServerGoalHandle:
    def __init__(self, server: ActionServer, info: GoalInfo, request: Any) -> None:
        self._server, self._info, self._request = server, info, request
        self._status = GoalStatus.STATUS_ACCEPTED
        self._lock = threading.Lock()
        self.ended = float("inf")  # when it was over
        self.result: Any = None
        self.asking: list[Header] = []  # who waits for the result

    @property
    def request(self) -> Any:
        return self._request

    @property
    def goal_id(self) -> Any:
        return self._info.goal_id

    @property
    def status(self) -> int:
        return int(self._status)

    @property
    def is_active(self) -> bool:
        return self._status in (_S.STATUS_ACCEPTED, _S.STATUS_EXECUTING, _S.STATUS_CANCELING)

    @property
    def is_cancel_requested(self) -> bool:
        return bool(self._status == _S.STATUS_CANCELING)

    def execute(self, execute_callback: Callable[..., Any] | None = None) -> None:
        # One that is to be cancelled before it began is executed, to see that.
        if not self.is_cancel_requested:
            self._move(GoalEvent.EXECUTE)
        self._server.notify_execute(self, execute_callback)

    def publish_feedback(self, feedback: Any) -> None:
        self._server.publish_feedback(self, feedback)

    def succeed(self, response: Any = None) -> None:
        self._end(GoalEvent.SUCCEED, response)

    def abort(self, response: Any = None) -> None:
        self._end(GoalEvent.ABORT, response)

    def canceled(self, response: Any = None) -> None:
        self._end(GoalEvent.CANCELED, response)

    def _end(self, event: GoalEvent, response: Any) -> None:
        self._move(event)
        if response is not None:
            self._server.notify_result(self, response)

    def _move(self, event: GoalEvent) -> None:
        with self._lock:
            following = NEXT.get((self._status, event))
            if following is None:
                raise InvalidTransition(
                    f"goal: found {NAMES[self._status]}, from where it cannot {event.name}"
                )
            self._status = following
        self._server.publish_status()

    def destroy(self) -> None:
        self._server.forget(self)

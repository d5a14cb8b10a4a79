"""What pursues goals."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from action_msgs.srv import CancelGoal
from rosless.left_out import refuse

from rclpy.action.goal import CANCELING, InvalidTransition, ServerGoalHandle
from rclpy.callback_groups import CallbackGroup
from rclpy.impl.services import Header
from rclpy.qos import qos_profile_action_status_default

if TYPE_CHECKING:
    from rclpy.node import Node


class GoalResponse(Enum):
    REJECT = 1
    ACCEPT = 2


class CancelResponse(Enum):
    REJECT = 1
    ACCEPT = 2


def refuse_to_cancel(_: ServerGoalHandle) -> CancelResponse:
    return CancelResponse.REJECT


class ActionServer:
    def __init__(
        self,
        node: Node,
        action_type: Any,
        action_name: str,
        execute_callback: Callable[[ServerGoalHandle], Any],
        *,
        callback_group: CallbackGroup | None = None,
        goal_callback: Callable[[Any], Any] = lambda _: GoalResponse.ACCEPT,
        handle_accepted_callback: Callable[..., Any] = ServerGoalHandle.execute,
        cancel_callback: Callable[[Any], Any] | None = None,
        result_timeout: float = 900,
        **others: Any,
    ) -> None:
        refuse("ActionServer", others)
        self._node, self._type, self._timeout = node, action_type, result_timeout
        self._goals: dict[bytes, ServerGoalHandle] = {}
        self._lock = threading.RLock()
        self.register_execute_callback(execute_callback)
        self._decide, self._decide_cancel = goal_callback, cancel_callback or refuse_to_cancel
        self._begin = handle_accepted_callback
        base, impl = f"{action_name}/_action", action_type.Impl
        self._services = [
            node.create_service(
                kind, f"{base}/{name}", asked, callback_group=callback_group, deferred=deferred
            )
            for kind, name, asked, deferred in (
                (impl.SendGoalService, "send_goal", self._on_goal, True),
                (impl.GetResultService, "get_result", self._on_result, True),
                (impl.CancelGoalService, "cancel_goal", self._on_cancel, False),
            )
        ]
        self._accepting, self._results, _ = self._services
        self._feedback = node.create_publisher(impl.FeedbackMessage, f"{base}/feedback", 10)
        qos = qos_profile_action_status_default
        self._status = node.create_publisher(impl.GoalStatusMessage, f"{base}/status", qos)
        self.publish_status()

    def register_execute_callback(self, execute_callback: Callable[..., Any]) -> None:
        if not callable(execute_callback):
            raise TypeError("Failed to register goal execution callback: not callable")
        self._execute = execute_callback

    async def _on_goal(self, request: Any, header: Header) -> None:
        self._expire()
        key = request.goal_id.uuid.tobytes()
        info = GoalInfo(goal_id=request.goal_id, stamp=self._node.get_clock().now().to_msg())
        response = self._type.Impl.SendGoalService.Response(stamp=info.stamp)
        if key not in self._goals:
            decision = await _answer(self._decide(request.goal))
            response.accepted = decision == GoalResponse.ACCEPT
        handle = ServerGoalHandle(self, info, request.goal)
        if response.accepted:
            with self._lock:
                self._goals[key] = handle
        self._accepting.answer(response, header)  # before anything comes of it
        if response.accepted:
            self.publish_status()
            await _answer(self._begin(handle))

    async def _on_cancel(self, request: Any, response: Any) -> Any:
        self._expire()
        wanted, known = self._meant(request.goal_info)
        if not known:
            response.return_code = CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID
            return response
        if not wanted:
            response.return_code = CancelGoal.Response.ERROR_GOAL_TERMINATED
            return response
        for handle in wanted:
            decision = await _answer(self._decide_cancel(handle))
            if decision != CancelResponse.ACCEPT:
                continue
            try:
                handle.move(CANCELING)
            except InvalidTransition:  # over by now, or asked before
                if not handle.is_cancel_requested:
                    continue
            response.goals_canceling.append(handle.info)
        if not response.goals_canceling:
            response.return_code = CancelGoal.Response.ERROR_REJECTED
        return response

    def _meant(self, info: GoalInfo) -> tuple[list[ServerGoalHandle], bool]:
        """The goals to be cancelled, and whether what was named is known: one by its id, all until
        a stamp, or, where neither is given, all."""
        key, stamp = info.goal_id.uuid.tobytes(), (info.stamp.sec, info.stamp.nanosec)
        with self._lock:
            goals = list(self._goals.items())
        named, dated = any(key), any(stamp)

        def meant(own: bytes, one: ServerGoalHandle) -> bool:
            earlier = (one.info.stamp.sec, one.info.stamp.nanosec) <= stamp
            return (named and own == key) or (dated and earlier) or not (named or dated)

        found = [one for own, one in goals if meant(own, one)]
        known = not named or dated or bool(found)
        return [one for one in found if one.is_active], known

    def _on_result(self, request: Any, header: Header) -> None:
        self._expire()
        with self._lock:
            handle = self._goals.get(request.goal_id.uuid.tobytes())
            if handle is not None and handle.result is None:
                handle.asking.append(header)
                return
        self._send_result(handle, header)

    def _send_result(self, handle: ServerGoalHandle | None, header: Header) -> None:
        response = self._type.Impl.GetResultService.Response()
        if handle is None:
            response.status = GoalStatus.STATUS_UNKNOWN
        else:
            response.status, response.result = handle.status, handle.result
        self._results.answer(response, header)

    def notify_execute(
        self, goal_handle: ServerGoalHandle, execute_callback: Callable[..., Any] | None
    ) -> None:
        executor = self._node.executor
        assert executor is not None
        executor.create_task(self._pursue, execute_callback or self._execute, goal_handle)

    async def _pursue(self, callback: Callable[..., Any], handle: ServerGoalHandle) -> None:
        logger = self._node.get_logger()
        try:
            result = await _answer(callback(handle))
        except Exception as error:  # noqa: BLE001 - of the user's
            logger.error(f"Error raised in execute callback: {error!r}")
            result = None
        if result is not None and not isinstance(result, self._type.Result):
            logger.error(f"result: found {result!r}, wanted {self._type.NAME}.Result")
            result = None
        if handle.is_active:
            logger.warning(f"Goal state not set, assuming aborted. Goal ID: {handle.goal_id.uuid}")
            handle.abort()
        if handle.result is None:
            self.notify_result(handle, result if result is not None else self._type.Result())

    def notify_result(self, goal_handle: ServerGoalHandle, result: Any) -> None:
        with self._lock:
            goal_handle.result, goal_handle.ended = result, time.monotonic()
            asking, goal_handle.asking = goal_handle.asking, []
        for header in asking:
            self._send_result(goal_handle, header)

    def publish_feedback(self, goal_handle: ServerGoalHandle, feedback: Any) -> None:
        if not isinstance(feedback, self._type.Feedback):
            raise TypeError(f"feedback: found {feedback!r}, wanted {self._type.NAME}.Feedback")
        message = self._type.Impl.FeedbackMessage(goal_id=goal_handle.goal_id, feedback=feedback)
        self._feedback.publish(message)

    def publish_status(self) -> None:
        with self._lock:
            told = [GoalStatus(goal_info=g.info, status=g.status) for g in self._goals.values()]
            self._status.publish(GoalStatusArray(status_list=told))

    def _expire(self) -> None:
        """Results are kept for a while after the end."""
        if self._timeout < 0:
            return
        now = time.monotonic()
        with self._lock:
            kept = {k: g for k, g in self._goals.items() if now - g.ended <= self._timeout}
            expired, self._goals = len(kept) < len(self._goals), kept
        if expired:
            self.publish_status()

    def destroy(self) -> None:
        for one in (*self._services, self._feedback, self._status):
            self._node._ros_drop(one)


async def _answer(found: Any) -> Any:
    """Of a callback that may be a coroutine."""
    return await found if inspect.isawaitable(found) else found

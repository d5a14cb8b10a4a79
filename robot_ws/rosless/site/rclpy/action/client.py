"""What sets goals."""

from __future__ import annotations

import uuid
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalStatus
from rosless.left_out import Absent, refuse
from unique_identifier_msgs.msg import UUID

from rclpy.callback_groups import CallbackGroup
from rclpy.qos import qos_profile_action_status_default
from rclpy.task import Future

if TYPE_CHECKING:
    from rclpy.node import Node

KEPT = 16  # goals that are over, whose last feedback may come after their results
OVER = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED)


class ClientGoalHandle:
    cancel_goal, get_result = Absent(), Absent()

    def __init__(self, action_client: ActionClient, goal_id: UUID, goal_response: Any) -> None:
        self._client, self.goal_id, self._response = action_client, goal_id, goal_response
        self.status: int = GoalStatus.STATUS_UNKNOWN

    @property
    def stamp(self) -> Any:
        return self._response.stamp

    @property
    def accepted(self) -> bool:
        return bool(self._response.accepted)

    def cancel_goal_async(self) -> Future:
        return self._client._cancel_goal_async(self)

    def get_result_async(self) -> Future:
        return self._client._get_result_async(self)


class ActionClient:
    send_goal = Absent()

    def __init__(
        self,
        node: Node,
        action_type: Any,
        action_name: str,
        *,
        callback_group: CallbackGroup | None = None,
        **others: Any,
    ) -> None:
        refuse("ActionClient", others)
        self._node, self._type = node, action_type
        self._feedback: dict[bytes, Callable[[Any], Any]] = {}
        self._over: deque[bytes] = deque()
        self._handles: weakref.WeakValueDictionary[bytes, ClientGoalHandle] = (
            weakref.WeakValueDictionary()
        )
        base, impl, group = f"{action_name}/_action", action_type.Impl, callback_group
        self._clients = [
            node.create_client(kind, f"{base}/{name}", callback_group=group)
            for kind, name in (
                (impl.SendGoalService, "send_goal"),
                (impl.GetResultService, "get_result"),
                (impl.CancelGoalService, "cancel_goal"),
            )
        ]
        self._goal, self._result, self._cancel = self._clients
        status = qos_profile_action_status_default
        self._subscriptions = [
            node.create_subscription(kind, f"{base}/{name}", heard, qos, callback_group=group)
            for kind, name, heard, qos in (
                (impl.FeedbackMessage, "feedback", self._on_feedback, 10),
                (impl.GoalStatusMessage, "status", self._on_status, status),
            )
        ]

    def send_goal_async(
        self,
        goal: Any,
        feedback_callback: Callable[[Any], Any] | None = None,
        goal_uuid: UUID | None = None,
    ) -> Future:
        """A future of the goal's handle, which says whether it was accepted."""
        if not isinstance(goal, self._type.Goal):
            raise TypeError(f"goal: found {goal!r}, wanted {self._type.NAME}.Goal")
        goal_id = goal_uuid or UUID(uuid=list(uuid.uuid4().bytes))
        key = goal_id.uuid.tobytes()
        if feedback_callback is not None:
            self._feedback[key] = feedback_callback

        def handle(response: Any) -> ClientGoalHandle:
            made = ClientGoalHandle(self, goal_id, response)
            if made.accepted:
                self._handles[key] = made
            else:
                self._feedback.pop(key, None)
            return made

        request = self._goal.srv_type.Request(goal_id=goal_id, goal=goal)
        return _then(self._goal.call_async(request), handle, self._node)

    def _get_result_async(self, goal_handle: ClientGoalHandle) -> Future:
        def over(response: Any) -> Any:
            self._over.append(goal_handle.goal_id.uuid.tobytes())
            if len(self._over) > KEPT:
                self._feedback.pop(self._over.popleft(), None)
            goal_handle.status = response.status
            return response

        request = self._result.srv_type.Request(goal_id=goal_handle.goal_id)
        return _then(self._result.call_async(request), over, self._node)

    def _cancel_goal_async(self, goal_handle: ClientGoalHandle) -> Future:
        request = self._cancel.srv_type.Request()
        request.goal_info.goal_id = goal_handle.goal_id
        return self._cancel.call_async(request)

    def _on_feedback(self, message: Any) -> Any:
        callback = self._feedback.get(message.goal_id.uuid.tobytes())
        return callback(message) if callback is not None else None

    def _on_status(self, message: Any) -> None:
        for one in message.status_list:
            handle = self._handles.get(one.goal_info.goal_id.uuid.tobytes())
            if handle is not None and handle.status not in OVER:
                handle.status = one.status

    def server_is_ready(self) -> bool:
        ready = all(client.service_is_ready() for client in self._clients)
        return ready and all(one.get_publisher_count() for one in self._subscriptions)

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        return self._node.context.wait_until(self.server_is_ready, timeout_sec)

    def destroy(self) -> None:
        for one in (*self._clients, *self._subscriptions):
            self._node._ros_drop(one)


def _then(future: Future, make: Callable[[Any], Any], node: Node) -> Future:
    """A future of what is made of another's result."""
    made = Future(executor=node.executor)

    def done() -> None:
        try:
            made.set_result(make(future.result()))
        except Exception as error:  # noqa: BLE001 - it is the result
            made.set_exception(error)

    future._when_done(done)
    return made

"""What asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.calls import HEADER, Caller

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.impl.waiting import until_true
from rclpy.qos import QoSProfile
from rclpy.task import Future

if TYPE_CHECKING:
    from rclpy.node import Node


class Client(Entity):
    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
    ) -> None:
        self.srv_type, self.qos_profile, self._node = srv_type, qos_profile, node
        self.srv_name = self.service_name = srv_name
        quality = qos_profile.quality()
        self._caller = Caller(node.context.participant, srv_name, srv_type.NAME, quality)
        reader, writer = self._caller.reader, self._caller.writer
        super().__init__(callback_group, reader.condition, reader, writer)
        self._pending: dict[int, Future] = {}
        self._lock = threading.Lock()

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Wait for the answer, in another thread than the one that spins."""
        future = self.call_async(request)
        if not future._waited(timeout_sec):
            self.remove_pending_request(future)
            raise TimeoutError(f"service '{self.srv_name}' did not answer within {timeout_sec} s")
        return future.result()

    def call_async(self, request: Any) -> Future:
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(
                f"call of '{self.srv_name}': found {request!r}, wanted its "
                f"{self.srv_type.NAME}.Request"
            )
        if not self.alive:
            raise InvalidHandle(f"client of '{self.srv_name}' was destroyed")
        future = Future(executor=self._node.executor)
        number = self._caller.number()
        with self._lock:
            self._pending[number] = future
        self._caller.call(request, number)
        return future

    def remove_pending_request(self, future: Future) -> None:
        """Its answer, should it come, is nobody's."""
        with self._lock:
            self._pending = {k: one for k, one in self._pending.items() if one is not future}

    def take(self) -> Callable[[], None] | None:
        taken = self._caller.take()
        if taken is None:
            return None
        data, number = taken
        with self._lock:
            future = self._pending.pop(number, None)
        if future is None:
            return None
        try:
            response = cdr.deserialize(data, self.srv_type.Response, HEADER.size)
        except cdr.Malformed as error:
            self._node.get_logger().error(f"an answer of '{self.srv_name}': {error}")
            failure = error
            return lambda: future.set_exception(failure)
        return lambda: future.set_result(response)

    def service_is_ready(self) -> bool:
        return self._caller.ready()

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        return until_true(self.service_is_ready, self._node.context, timeout_sec)

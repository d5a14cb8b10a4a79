"""What asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rosless.interfaces import cdr
from rosless.wire.calls import HEADER, Caller
from rosless.wire.participant import Participant

from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.logging import get_logger
from rclpy.qos import QoSProfile
from rclpy.task import Future

POLL_S = 0.005  # how often somebody who waits for a service looks


class Client(Entity):
    def __init__(
        self,
        context: Context,
        participant: Participant,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        executor: Callable[[], Any],
    ) -> None:
        self.context, self.srv_type, self.srv_name = context, srv_type, srv_name
        self.qos_profile, self._executor = qos_profile, executor
        self.caller = Caller(participant, srv_name, srv_type.NAME, qos_profile.get_c_qos_profile())
        super().__init__(callback_group, self.caller.reader.condition)
        self._pending: dict[int, Future] = {}
        self._lock = threading.Lock()

    @property
    def service_name(self) -> str:
        return self.srv_name

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Wait for the answer, in another thread than the one that spins."""
        over = threading.Event()
        future = self.call_async(request)
        future._when_done(over.set)
        if not over.wait(timeout_sec):
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
        future = Future(executor=self._executor())
        number = self.caller.number()
        with self._lock:
            self._pending[number] = future
        self.caller.send(request, number)
        return future

    def remove_pending_request(self, future: Future) -> None:
        """Its answer, should it come, is nobody's."""
        with self._lock:
            self._pending = {k: one for k, one in self._pending.items() if one is not future}

    def take(self) -> Callable[[], None] | None:
        taken = self.caller.take()
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
            get_logger("rclpy").error(f"an answer of '{self.srv_name}': {error}")
            failure = error
            return lambda: future.set_exception(failure)
        return lambda: future.set_result(response)

    def service_is_ready(self) -> bool:
        return self.caller.ready()

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        forever = timeout_sec is None or timeout_sec < 0
        end = time.monotonic() + (timeout_sec or 0.0)
        while self.context.ok() and not self.service_is_ready():
            if not forever and time.monotonic() >= end:
                break
            time.sleep(POLL_S)
        return self.service_is_ready()

    def destroy(self) -> None:
        self.alive = False
        self.caller.close()

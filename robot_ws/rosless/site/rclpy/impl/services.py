"""What answers and what asks.

A service is two topics, and a header that says whose call it is.
"""

from __future__ import annotations

import inspect
import itertools
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.participant import Reader, Writer

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile, qos_profile_services_default
from rclpy.task import Future

if TYPE_CHECKING:
    from rclpy.node import Node

HEADER = struct.Struct("<Qq")  # the client's writer, and which of its calls
Header = tuple[int, int]
PATIENCE_S, POLL_S = 0.1, 0.001  # for a client's reader to be met before it is answered


class _End(Entity):
    """Of the two topics: one is heard, one is spoken on."""

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup | None,
        serves: bool,
    ) -> None:
        self.srv_type, self.qos_profile, self._node = srv_type, qos_profile, node
        self.srv_name = self.service_name = srv_name = node.resolve_service_name(srv_name)
        participant, quality = node.context.participant, qos_profile.quality()
        said = f"{'serviceid' if serves else 'clientid'}={participant.call_id()};"
        asked = f"rq{srv_name}Request", f"{srv_type.NAME}_Request"
        told = f"rr{srv_name}Reply", f"{srv_type.NAME}_Response"
        heard, spoken = (asked, told) if serves else (told, asked)
        self._reader = Reader(participant, *heard, quality, said, call=True)
        self._writer = Writer(participant, *spoken, quality, said, call=True)
        ends = (self._reader, self._writer)
        super().__init__(node, callback_group, self._reader.condition, *ends)

    def _send(self, message: Any, header: Header, kind: Any) -> None:
        if not isinstance(message, kind):
            raise TypeError(
                f"'{self.srv_name}': found {message!r}, wanted a {self.srv_type.NAME}."
                f"{kind.__name__.rpartition('_')[2]}"
            )
        self.write(self._writer, cdr.pieces(message, HEADER.pack(*header)), self.srv_name)


class Service(_End):
    """callback(request, response) -> response, or a coroutine of it. One that is `deferred` is
    called with the request and its header, and answered by `send_response` some time."""

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
        deferred: bool = False,
    ) -> None:
        super().__init__(node, srv_type, srv_name, qos_profile, callback_group, True)
        self.callback, self._deferred = callback, deferred
        self._met: set[int] = set()

    def take(self) -> Callable[[], Any] | None:
        taken = self._reader.take()
        if taken is None:
            return None
        data, _, publication = taken
        self._meet(publication)
        header = HEADER.unpack_from(data.data, 4)
        try:
            request = cdr.deserialize(data, self.srv_type.Request, HEADER.size)
        except cdr.Malformed as error:
            self._node.get_logger().error(f"dropped a call of '{self.srv_name}': {error}")
            return None

        return lambda: (self.callback if self._deferred else self._reply)(request, header)

    async def _reply(self, request: Any, header: Header) -> None:
        response = self.callback(request, self.srv_type.Response())
        self.answer(await response if inspect.iscoroutine(response) else response, header)

    def _meet(self, publication: int) -> None:
        """An answer goes to who is known: a new client's reader may not have been met yet."""
        if publication in self._met:
            return
        client = self._reader.client(publication)
        end = time.monotonic() + PATIENCE_S
        while client is not None and time.monotonic() < end:
            if client in self._writer.clients():
                self._met.add(publication)
                return
            time.sleep(POLL_S)

    def answer(self, response: Any, header: Header) -> None:
        """Of a callback during which the service may have been destroyed."""
        try:
            self.send_response(response, header)
        except InvalidHandle as error:
            self._node.get_logger().warning(f"nothing was answered: {error}")

    def send_response(self, response: Any, header: Header) -> None:
        self._send(response, header, self.srv_type.Response)


class Client(_End):
    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        super().__init__(node, srv_type, srv_name, qos_profile, callback_group, False)
        self._numbers = itertools.count(1)
        self._pending: dict[int, Future] = {}
        self._lock = threading.Lock()

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Wait for the answer, in another thread than the one that spins."""
        future, over = self.call_async(request), threading.Event()
        future._when_done(over.set)
        if not over.wait(timeout_sec):
            self.remove_pending_request(future)
            raise TimeoutError(f"service '{self.srv_name}' did not answer within {timeout_sec} s")
        return future.result()

    def call_async(self, request: Any) -> Future:
        future, number = Future(executor=self._node.executor), next(self._numbers)
        with self._lock:
            self._pending[number] = future
        try:
            self._send(request, (self._writer.handle, number), self.srv_type.Request)
        except BaseException:
            self.remove_pending_request(future)
            raise
        return future

    def remove_pending_request(self, future: Future) -> None:
        """Its answer, should it come, is nobody's."""
        with self._lock:
            self._pending = {k: one for k, one in self._pending.items() if one is not future}

    def take(self) -> Callable[[], None] | None:
        taken = self._reader.take()
        if taken is None:
            return None
        data, _, _ = taken
        client, number = HEADER.unpack_from(data.data, 4)
        with self._lock:  # an answer may be another client's
            future = self._pending.pop(number, None) if client == self._writer.handle else None
        return None if future is None else lambda: self._answered(future, data)

    def _answered(self, future: Future, data: Any) -> None:
        try:
            future.set_result(cdr.deserialize(data, self.srv_type.Response, HEADER.size))
        except cdr.Malformed as error:
            self._node.get_logger().error(f"an answer of '{self.srv_name}': {error}")
            future.set_exception(error)

    def service_is_ready(self) -> bool:
        return self._writer.met() > 0 and self._reader.met() > 0

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        return self._node.context.wait_until(self.service_is_ready, timeout_sec)

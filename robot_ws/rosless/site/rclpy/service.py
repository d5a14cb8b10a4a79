"""What answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from rosless.interfaces import cdr
from rosless.wire.calls import HEADER, Header, Server
from rosless.wire.library import WireError

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.qos import QoSProfile

if TYPE_CHECKING:
    from rclpy.node import Node


class Service(Entity):
    """callback(request, response) -> response, or a coroutine of it. One that is `deferred` is
    called with the request and its header, and answered by `send_response` some time."""

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        qos_profile: QoSProfile,
        callback_group: CallbackGroup,
        deferred: bool,
    ) -> None:
        self.srv_type, self.callback, self.qos_profile = srv_type, callback, qos_profile
        self.srv_name = self.service_name = srv_name
        self._logger, self._deferred = node.get_logger(), deferred
        quality = qos_profile.quality()
        self._server = Server(node.context.participant, srv_name, srv_type.NAME, quality)
        reader, writer = self._server.reader, self._server.writer
        super().__init__(callback_group, reader.condition, reader, writer)

    def take(self) -> Callable[[], Any] | None:
        taken = self._server.take()
        if taken is None:
            return None
        data, header = taken
        try:
            request = cdr.deserialize(data, self.srv_type.Request, HEADER.size)
        except cdr.Malformed as error:
            self._logger.error(f"dropped a call of '{self.srv_name}': {error}")
            return None

        def call() -> Any:
            if self._deferred:
                return self.callback(request, header)
            response = self.callback(request, self.srv_type.Response())
            if inspect.iscoroutine(response):
                return self._later(response, header)
            return self.answer(response, header)

        return call

    async def _later(self, coroutine: Coroutine[Any, Any, Any], header: Header) -> None:
        self.answer(await coroutine, header)

    def answer(self, response: Any, header: Header) -> None:
        """Of a callback during which the service may have been destroyed."""
        try:
            self.send_response(response, header)
        except InvalidHandle as error:
            self._logger.warning(f"nothing was answered: {error}")

    def send_response(self, response: Any, header: Header) -> None:
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(
                f"service '{self.srv_name}': found {response!r}, wanted its "
                f"{self.srv_type.NAME}.Response; return the response from the callback"
            )
        try:
            if self.alive:
                return self._server.send(response, header)
        except WireError:
            if self.alive:
                raise
        raise InvalidHandle(f"service '{self.srv_name}' was destroyed")

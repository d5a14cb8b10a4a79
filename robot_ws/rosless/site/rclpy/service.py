"""What answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from rosless.interfaces import cdr
from rosless.wire.calls import HEADER, Header, Server
from rosless.wire.library import WireError
from rosless.wire.participant import Participant

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.entity import Entity
from rclpy.logging import get_logger
from rclpy.qos import QoSProfile


class Service(Entity):
    """callback(request, response) -> response, or a coroutine of it. One that is `deferred` is
    called with the request and its header, and answered by `send_response` some time."""

    def __init__(
        self,
        participant: Participant,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        callback_group: CallbackGroup,
        qos_profile: QoSProfile,
        logger_name: str,
        deferred: bool = False,
    ) -> None:
        self.srv_type, self.srv_name, self.callback = srv_type, srv_name, callback
        self.qos_profile, self.logger_name, self._deferred = qos_profile, logger_name, deferred
        quality = qos_profile.get_c_qos_profile()
        self.server = Server(participant, srv_name, srv_type.NAME, quality)
        super().__init__(callback_group, self.server.reader.condition)

    @property
    def service_name(self) -> str:
        return self.srv_name

    def take(self) -> Callable[[], Any] | None:
        taken = self.server.take()
        if taken is None:
            return None
        data, header = taken
        try:
            request = cdr.deserialize(data, self.srv_type.Request, HEADER.size)
        except cdr.Malformed as error:
            get_logger(self.logger_name).error(f"dropped a call of '{self.srv_name}': {error}")
            return None

        def call() -> Any:
            if self._deferred:
                return self.callback(request, header)
            response = self.callback(request, self.srv_type.Response())
            if inspect.iscoroutine(response):
                return self._later(response, header)
            self.answer(response, header)
            return None

        return call

    async def _later(self, coroutine: Coroutine[Any, Any, Any], header: Header) -> None:
        self.answer(await coroutine, header)

    def answer(self, response: Any, header: Header) -> None:
        """Of a callback during which the service may have been destroyed."""
        try:
            self.send_response(response, header)
        except InvalidHandle as error:
            get_logger(self.logger_name).warning(f"nothing was answered: {error}")

    def send_response(self, response: Any, header: Header) -> None:
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(
                f"service '{self.srv_name}': found {response!r}, wanted its "
                f"{self.srv_type.NAME}.Response; return the response from the callback"
            )
        if not self.alive:
            raise InvalidHandle(f"service '{self.srv_name}' was destroyed")
        try:
            self.server.reply(response, header)
        except WireError:
            if self.alive:
                raise
            raise InvalidHandle(f"service '{self.srv_name}' was destroyed") from None

    def destroy(self) -> None:
        self.alive = False
        self.server.close()

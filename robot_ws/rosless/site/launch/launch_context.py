"""What is true while a launch description is carried out."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from .event import Event
from .event_handler import BaseEventHandler
from .process import Guardian
from .substitution import Substitution


class LaunchContext:
    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or ())
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, Any] = {}
        self.is_shutdown = False
        self._events: deque[Event] = deque()
        self._handlers: deque[BaseEventHandler] = deque()
        self._futures: list[asyncio.Future[Any]] = []
        self._wake = asyncio.Event()  # there is an event, or a future is done
        self._globals: dict[str, Any] = {}
        self._locals: dict[str, Any] = {}
        self._scopes: list[tuple[dict[str, Any], dict[str, str]]] = []
        self._first_environment = dict(os.environ)
        self.guardian = Guardian()

    @property
    def environment(self) -> MutableMapping[str, str]:
        """That of launch itself, which its processes inherit."""
        return os.environ

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @property
    def locals(self) -> Any:
        return SimpleNamespace(**self.get_locals_as_dict())

    def get_locals_as_dict(self) -> dict[str, Any]:
        return {**self._globals, **self._locals}

    def extend_globals(self, extensions: dict[str, Any]) -> None:
        self._globals.update(extensions)

    def extend_locals(self, extensions: dict[str, Any]) -> None:
        """Until the event in hand has been handled."""
        self._locals.update(extensions)

    def register_event_handler(self, event_handler: BaseEventHandler, append: bool = False) -> None:
        """Before those that are there, or after them."""
        if append:
            self._handlers.append(event_handler)
        else:
            self._handlers.appendleft(event_handler)

    def unregister_event_handler(self, event_handler: BaseEventHandler) -> None:
        self._handlers.remove(event_handler)

    def would_handle_event(self, event: Event) -> bool:
        return any(handler.matches(event) for handler in self._handlers)

    def emit_event_sync(self, event: Event) -> None:
        self._events.append(event)
        self._wake.set()

    async def emit_event(self, event: Event) -> None:
        self.emit_event_sync(event)

    def add_completion_future(self, completion_future: asyncio.Future[Any]) -> None:
        """The launch lasts at least until this is done."""
        self._futures.append(completion_future)
        completion_future.add_done_callback(lambda _: self._wake.set())

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def handlers_of(self, event: Event) -> list[BaseEventHandler]:
        return [handler for handler in self._handlers if handler.matches(event)]

    @property
    def idle(self) -> bool:
        """Nothing is under way, and nothing is left to handle."""
        return not self._events and not self._futures

    def raise_failures(self) -> None:
        """Forget what is done. What failed raises what it failed with."""
        for future in [future for future in self._futures if future.done()]:
            self._futures.remove(future)
            if not future.cancelled():
                future.result()

    async def wait(self) -> None:
        """For an event, or for something to be done."""
        self._wake.clear()
        await self._wake.wait()

    @contextmanager
    def scoped_locals(self) -> Iterator[None]:
        before = dict(self._locals)
        try:
            yield
        finally:
            self._locals = before

    def perform_substitution(self, substitution: Substitution) -> str:
        return substitution.perform(self)

    def push_scope(self, *, forwarding: bool, configurations: dict[str, Any]) -> None:
        """Changes to configurations and environment from here on end with `pop_scope`."""
        self._scopes.append((self.launch_configurations, dict(os.environ)))
        if not forwarding:
            _replace_environment(self._first_environment)
        kept = self.launch_configurations if forwarding else {}
        self.launch_configurations = {**kept, **configurations}

    def pop_scope(self) -> None:
        self.launch_configurations, environment = self._scopes.pop()
        _replace_environment(environment)


def _replace_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)

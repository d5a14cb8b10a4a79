"""What is true while a launch description is carried out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from .logging import Log
from .process import Process

if TYPE_CHECKING:
    from .event_handlers import EventHandler
    from .events import Event
    from .launch_description import LaunchDescriptionEntity


class LaunchContext:
    def __init__(self, *, argv: Iterable[str] | None = None) -> None:
        self.argv = list(argv or ())
        self.launch_configurations: dict[str, str] = {}
        self.log = Log()
        self.handlers: deque[EventHandler] = deque()  # the latest is asked first
        self.files: str | None = None  # a directory that goes with the launch
        self.processes: set[Process] = set()
        self.ending = asyncio.Event()  # from here on nothing is started
        self._tasks: set[asyncio.Task[None]] = set()
        # Events, tasks that are done, and what is to be visited: handled in this order.
        self._news: asyncio.Queue[Any] = asyncio.Queue()

    @property
    def is_shutdown(self) -> bool:
        return self.ending.is_set()

    def emit_event_sync(self, event: Event) -> None:
        self._news.put_nowait(event)

    def visit_later(self, *entities: LaunchDescriptionEntity) -> None:
        self._news.put_nowait(entities)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """The launch lasts at least until this is done."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._news.put_nowait)

    async def news(self) -> Any:
        """The next; raises what a task failed with."""
        found = await self._news.get()
        if isinstance(found, asyncio.Task):
            self._tasks.remove(found)
            found.result()
        return found

    @property
    def idle(self) -> bool:
        """Nothing is under way, and nothing is left to handle."""
        return self._news.empty() and not self._tasks

    async def ends_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.ending.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

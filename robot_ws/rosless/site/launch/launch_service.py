"""Carries out launch descriptions: visits them, handles events, and ends all in order."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from .events import Event, Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription, LaunchDescriptionEntity, as_list

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class LaunchService:
    def __init__(self, *, argv: Iterable[str] | None = None, debug: bool = False) -> None:
        self.context = LaunchContext(argv=argv)
        self._debug, self._interrupts, self._code = debug, 0, 0

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        self.context.visit_later(launch_description)

    def run(self) -> int:
        """0, or 1 if launch itself failed: how its processes ended does not matter. In the main
        thread alone, for it handles signals."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> int:
        context = self.context
        context.log.info(f"All log files can be found below {context.log.directory}")
        try:
            with (
                self._handling_signals(asyncio.get_running_loop()),
                tempfile.TemporaryDirectory(prefix="launch_") as context.files,
            ):
                return await self._until_idle()
        finally:
            context.log.close()

    async def _until_idle(self) -> int:
        context = self.context
        while True:
            try:
                if context.idle and context.is_shutdown:
                    return self._code
                if context.idle:
                    context.emit_event_sync(Shutdown(reason="idle"))
                news = await context.news()
                if isinstance(news, Event):
                    self._handle(news)
                elif isinstance(news, tuple):
                    self._visit(news)
            except asyncio.CancelledError:
                self._failed("run task was canceled")
            except Exception as error:  # noqa: BLE001 - whatever failed, the rest ends in order
                self._failed(error)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            if self.context.is_shutdown:
                return
            self.context.ending.set()  # before its handlers, so that they start nothing
        for handler in list(self.context.handlers):
            if handler.matches(event):
                try:
                    self._visit(as_list(handler.handle(event, self.context)))
                except Exception as error:  # noqa: BLE001 - the others are to hear of it too
                    self._failed(error)

    def _visit(self, entities: Iterable[LaunchDescriptionEntity]) -> None:
        for entity in entities:
            self._visit(entity.visit(self.context) or ())

    def _failed(self, what: object) -> None:
        reason = f"Caught exception in launch (see debug for traceback): {what}"
        self.context.log.error(reason)
        if self._debug:
            self.context.log.line(traceback.format_exc())
        self._code = 1
        self.context.emit_event_sync(Shutdown(reason=reason))

    @contextmanager
    def _handling_signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupted, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])

    def _interrupted(self, number: signal.Signals) -> None:
        """First ask, as any shutdown does. Each further signal is a stronger word to all."""
        self._interrupts += 1
        how = "ctrl-c (SIGINT)" if number == signal.SIGINT else number.name
        self.context.log.warning(f"user interrupted with {how}")
        if self._interrupts == 1:
            self.context.emit_event_sync(Shutdown(reason=how))
            return
        for process in self.context.processes:
            process.send(signal.SIGTERM if self._interrupts == 2 else signal.SIGKILL)

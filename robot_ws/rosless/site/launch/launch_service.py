"""Carries out launch descriptions: visits them, handles events, and ends all in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from .event import Event
from .events import IncludeLaunchDescription, Shutdown
from .events.process import SignalProcess
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity, as_list
from .logging import get_logger, launch_config

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class LaunchService:
    def __init__(
        self,
        *,
        argv: Iterable[str] | None = None,
        noninteractive: bool = False,
        debug: bool = False,
    ) -> None:
        launch_config.level = logging.DEBUG if debug else logging.INFO
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._loop: asyncio.AbstractEventLoop | None = None  # while it runs
        self._interrupts = 0
        self._code = 0

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        self.emit_event(IncludeLaunchDescription(launch_description))

    def emit_event(self, event: Event) -> None:
        """From any thread."""
        if self._loop is None:
            self.context.emit_event_sync(event)
        else:
            self._loop.call_soon_threadsafe(self.context.emit_event_sync, event)

    def shutdown(self) -> None:
        """From any thread. `run` returns once every process has ended."""
        self.emit_event(Shutdown(reason="LaunchService.shutdown() called"))

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """0, or 1 if launch itself failed: how its processes ended does not matter."""
        return asyncio.run(self.run_async(shutdown_when_idle=shutdown_when_idle))

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("LaunchService runs in the main thread alone: it handles signals")
        logger = get_logger()
        logger.info(f"All log files can be found below {launch_config.log_dir}")
        level = logging.getLevelName(launch_config.level)
        logger.info(f"Default logging verbosity is set to {level}")
        self._loop = asyncio.get_running_loop()
        await self.context.guardian.start()
        try:
            with self._handling_signals(self._loop):
                return await self._until_idle(shutdown_when_idle)
        finally:
            self._loop = None
            await self.context.guardian.close()

    async def _until_idle(self, shutdown_when_idle: bool) -> int:
        context = self.context
        while True:
            try:
                context.raise_failures()
                event = context.next_event()
                if event is not None:
                    self._handle(event)
                    await asyncio.sleep(0)  # for what happens outside of events
                elif context.idle and context.is_shutdown:
                    return self._code
                elif context.idle and shutdown_when_idle:
                    self._shut_down("idle")
                else:
                    await context.wait()
            except asyncio.CancelledError:
                self._failed("run task was canceled")
            except Exception as error:  # noqa: BLE001 - whatever failed, the rest ends in order
                self._failed(error)

    def _handle(self, event: Event) -> None:
        context = self.context
        if isinstance(event, Shutdown):
            context.is_shutdown = True  # before its handlers, so that they start nothing
        if isinstance(event, IncludeLaunchDescription):
            with context.scoped_locals():
                self._visit(event.launch_description)
        for handler in context.handlers_of(event):
            try:
                with context.scoped_locals():
                    for entity in as_list(handler.handle(event, context)):
                        self._visit(entity)
            except Exception as error:  # noqa: BLE001 - the other handlers are to hear of it too
                self._failed(error)

    def _failed(self, what: object) -> None:
        reason = f"Caught exception in launch (see debug for traceback): {what}"
        get_logger().debug(traceback.format_exc())
        get_logger().error(reason)
        self._code = 1
        self._shut_down(reason)

    def _shut_down(self, reason: str) -> None:
        if not self.context.is_shutdown:
            self.context.emit_event_sync(Shutdown(reason=reason))

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        following = entity.visit(self.context)
        future = entity.get_asyncio_future()
        if future is not None:
            self.context.add_completion_future(future)
        for each in following or ():
            self._visit(each)

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
        get_logger().warning(f"user interrupted with {how}")
        if self._interrupts == 1:
            event: Event = Shutdown(reason=how, due_to_sigint=number == signal.SIGINT)
        else:
            word = signal.SIGTERM if self._interrupts == 2 else signal.SIGKILL
            event = SignalProcess(signal_number=word, process_matcher=lambda _: True)
        self.context.emit_event_sync(event)

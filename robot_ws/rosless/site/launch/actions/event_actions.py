"""Events, and what is done at them or after a while."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from .. import events
from ..action import Action
from ..event import Event
from ..event_handler import BaseEventHandler, EventHandler
from ..event_handlers import OnShutdown
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity, as_list
from ..logging import get_logger
from ..substitution import SomeSubstitutionsType, resolve
from ..utilities import typed


@dataclass(eq=False, kw_only=True)
class LogInfo(Action):
    msg: SomeSubstitutionsType

    def execute(self, context: LaunchContext) -> None:
        get_logger("launch.user").info(resolve(context, self.msg))


@dataclass(eq=False, kw_only=True)
class EmitEvent(Action):
    event: Event

    def execute(self, context: LaunchContext) -> None:
        context.emit_event_sync(self.event)


@dataclass(eq=False, kw_only=True)
class Shutdown(Action):
    reason: str = "reason not given"

    def execute(self, context: LaunchContext) -> None:
        cause = context.get_locals_as_dict().get("event")
        if isinstance(cause, events.process.ProcessExited):
            get_logger().info(
                f"process[{cause.process_name}] was required: shutting down launched system"
            )
        context.emit_event_sync(events.Shutdown(reason=self.reason))


@dataclass(eq=False)
class RegisterEventHandler(Action):
    event_handler: BaseEventHandler

    def execute(self, context: LaunchContext) -> None:
        context.register_event_handler(self.event_handler)


@dataclass(eq=False)
class UnregisterEventHandler(Action):
    event_handler: BaseEventHandler

    def execute(self, context: LaunchContext) -> None:
        context.unregister_event_handler(self.event_handler)


@dataclass(eq=False, kw_only=True)
class TimerAction(Action):
    """Visits its actions after `period` seconds, once, unless it is cancelled before."""

    period: float | SomeSubstitutionsType
    actions: Iterable[LaunchDescriptionEntity]
    cancel_on_shutdown: bool | SomeSubstitutionsType = True

    def __post_init__(self) -> None:
        self.actions = as_list(self.actions)
        self._cancelled = False
        self._waiting: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        self._cancelled = True
        if self._waiting is not None:
            self._waiting.cancel()

    def execute(self, context: LaunchContext) -> None:
        if self._cancelled:
            return
        fired = events.TimerEvent(timer_action=self)
        here = context.get_locals_as_dict()

        def fire(event: Event, context: LaunchContext) -> list[LaunchDescriptionEntity]:
            context.extend_locals(here)  # of the launch file the timer stands in
            return as_list(self.actions)

        async def wait(period: float) -> None:
            await asyncio.sleep(period)
            context.emit_event_sync(fired)

        context.register_event_handler(
            EventHandler(matcher=lambda event: event is fired, entities=fire, handle_once=True)
        )
        if typed(context, self.cancel_on_shutdown, bool):
            context.register_event_handler(OnShutdown(on_shutdown=lambda *_: self.cancel()))
        self._waiting = asyncio.ensure_future(wait(typed(context, self.period, float)))

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        return self._waiting

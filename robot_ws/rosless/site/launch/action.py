"""The base of what a launch file asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .condition import Condition
from .events import ExecutionComplete
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .launch_context import LaunchContext


@dataclass(eq=False, kw_only=True)
class Action(LaunchDescriptionEntity):
    condition: Condition | None = None

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        following = self.execute(context)
        done = ExecutionComplete(action=self)
        if context.would_handle_event(done):
            future = self.get_asyncio_future()
            if future is None:
                context.emit_event_sync(done)
            else:
                future.add_done_callback(lambda _: context.emit_event_sync(done))
        return following

    def execute(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        return None

"""Handlers for the events that launch files wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .action import Action
from .event import Event
from .event_handler import EventHandler, Handle
from .events import ExecutionComplete, Shutdown
from .events.process import ProcessExited, ProcessIO, ProcessStarted
from .launch_description_entity import SomeEntitiesType
from .left_out import left_out

Target = Action | Callable[[Any], bool] | None  # one action, those it says yes to, or all
Answer = SomeEntitiesType | Handle | None


class _OnActionEvent(EventHandler):
    def __init__(self, kind: type[Event], target: Target, answer: Answer, **kwargs: Any) -> None:
        if not (target is None or isinstance(target, Action) or callable(target)):
            raise TypeError(
                f"{type(self).__name__}: target_action is {target!r}, wanted an action of this "
                "launch description, or a function that takes one"
            )

        def matches(event: Any) -> bool:
            if not isinstance(event, kind):
                return False
            action = event.action  # type: ignore[attr-defined]
            if isinstance(target, Action):
                return action is target
            return target is None or target(action)

        super().__init__(matcher=matches, entities=answer, **kwargs)


class OnProcessStart(_OnActionEvent):
    def __init__(self, *, target_action: Target = None, on_start: Answer, **kwargs: Any) -> None:
        super().__init__(ProcessStarted, target_action, on_start, **kwargs)


class OnProcessExit(_OnActionEvent):
    def __init__(self, *, target_action: Target = None, on_exit: Answer, **kwargs: Any) -> None:
        super().__init__(ProcessExited, target_action, on_exit, **kwargs)


class OnExecutionComplete(_OnActionEvent):
    def __init__(
        self, *, target_action: Target = None, on_completion: Answer, **kwargs: Any
    ) -> None:
        super().__init__(ExecutionComplete, target_action, on_completion, **kwargs)


class OnProcessIO(_OnActionEvent):
    """Unlike the others, its functions take the event alone."""

    def __init__(
        self,
        *,
        target_action: Target = None,
        on_stdout: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        on_stderr: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        **kwargs: Any,
    ) -> None:
        def handle(event: ProcessIO, _: Any) -> SomeEntitiesType | None:
            function = on_stdout if event.from_stdout else on_stderr
            return None if function is None else function(event)

        super().__init__(ProcessIO, target_action, handle, **kwargs)


class OnShutdown(EventHandler):
    def __init__(self, *, on_shutdown: Answer, **kwargs: Any) -> None:
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown), entities=on_shutdown, **kwargs
        )


__getattr__ = left_out(__name__)

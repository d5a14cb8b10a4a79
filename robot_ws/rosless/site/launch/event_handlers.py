"""What is done at an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .events import Event, ProcessExited, ProcessIO, Shutdown
from .launch_description import Action, SomeEntitiesType, as_list

if TYPE_CHECKING:
    from .launch_context import LaunchContext

Handle = Callable[[Any, "LaunchContext"], SomeEntitiesType | None]
Target = Action | Callable[[Any], bool] | None  # one action, those it says yes to, or all
Answer = SomeEntitiesType | Handle | None


class EventHandler:
    """Visits what it was given, or what that returns where it is a function."""

    def __init__(self, *, matcher: Callable[[Event], bool], entities: Answer = None) -> None:
        self.matches = matcher
        self.entities = entities if callable(entities) else as_list(entities)

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        return self.entities(event, context) if callable(self.entities) else self.entities


class _OnProcessEvent(EventHandler):
    def __init__(self, kind: type[Event], target: Target, answer: Answer) -> None:
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

        super().__init__(matcher=matches, entities=answer)


class OnProcessExit(_OnProcessEvent):
    def __init__(self, *, target_action: Target = None, on_exit: Answer) -> None:
        super().__init__(ProcessExited, target_action, on_exit)


class OnProcessIO(_OnProcessEvent):
    """Unlike the others, its functions take the event alone."""

    def __init__(
        self,
        *,
        target_action: Target = None,
        on_stdout: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        on_stderr: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
    ) -> None:
        def handle(event: ProcessIO, _: Any) -> SomeEntitiesType | None:
            function = on_stdout if event.from_stdout else on_stderr
            return None if function is None else function(event)

        super().__init__(ProcessIO, target_action, handle)


class OnShutdown(EventHandler):
    def __init__(self, *, on_shutdown: Answer) -> None:
        super().__init__(matcher=lambda event: isinstance(event, Shutdown), entities=on_shutdown)

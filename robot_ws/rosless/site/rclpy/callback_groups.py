"""Which callbacks may run beside each other."""

from __future__ import annotations

import threading
from typing import Any


class CallbackGroup:
    """All at once."""

    def can_execute(self, entity: Any) -> bool:
        """A look ahead, for who waits; `beginning_execution` decides."""
        return True

    def beginning_execution(self, entity: Any) -> bool:
        """Whether it may begin now; if so, it has."""
        return True

    def ending_execution(self, entity: Any) -> None:
        pass


class ReentrantCallbackGroup(CallbackGroup):
    pass


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One after the other."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def can_execute(self, entity: Any) -> bool:
        return not self._taken.locked()

    def beginning_execution(self, entity: Any) -> bool:
        return self._taken.acquire(blocking=False)

    def ending_execution(self, entity: Any) -> None:
        self._taken.release()

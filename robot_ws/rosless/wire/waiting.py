"""Waiting for many things at once, with the interpreter free meanwhile."""

from __future__ import annotations

import ctypes as C
import threading
from typing import Any

from cyclonedds.core import GuardCondition, WaitSet

from .library import FOREVER, LIBRARY, attach, checked, close, detach, wait
from .participant import Participant

MOST = 1024  # told of at once; the others at the next call


class Waiting:
    """
    waiting.add(reader.condition, subscription)
    for what in waiting.wait(timeout): ...

    Who is told of goes on being ready until its data is taken. `wake` ends a wait from any thread.
    """

    def __init__(self, participant: Participant) -> None:
        self._set = WaitSet(participant.entity)
        self._guard = GuardCondition(participant.entity)
        self._items: dict[int, Any] = {}
        self._lock = threading.RLock()  # a signal may come while it is held
        self._ready = (C.c_ssize_t * MOST)()
        self._taken = C.c_bool()
        self._open = True
        checked(attach(self._set._ref, self._guard._ref, self._guard._ref), "attach")

    def add(self, condition: int, item: Any) -> None:
        with self._lock:
            if self._open:
                self._items[condition] = item
                checked(attach(self._set._ref, condition, condition), "attach")

    def remove(self, condition: int) -> None:
        """What is closed already is gone by itself."""
        with self._lock:
            self._items.pop(condition, None)
        detach(self._set._ref, condition)

    def wake(self) -> None:
        with self._lock:
            if self._open:
                LIBRARY.dds_set_guardcondition(self._guard._ref, C.c_bool(True))

    def wait(self, timeout_ns: int | None) -> list[Any]:
        """What is ready by then; None waits for ever."""
        limit = FOREVER if timeout_ns is None else max(timeout_ns, 0)
        count: int = wait(self._set._ref, self._ready, MOST, limit)
        if not self._open:  # closed meanwhile
            return []
        checked(count, "wait")
        found = self._ready[: min(count, MOST)]
        if self._guard._ref in found:
            LIBRARY.dds_take_guardcondition(self._guard._ref, C.byref(self._taken))
        with self._lock:
            return [self._items[ref] for ref in found if ref in self._items]

    def close(self) -> None:
        with self._lock:
            self._open = False
        close(self._guard)
        close(self._set)

"""What init and shutdown are about: arguments, a participant on the wire, and whether to go on."""

from __future__ import annotations

import atexit
import math
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from rosless.wire.graph import Graph
from rosless.wire.participant import Participant
from rosless.wire.settings import domain_id as domain_of_environment

from rclpy.exceptions import NotInitializedException
from rclpy.impl.arguments import Arguments, parse
from rclpy.logging import set_levels

if TYPE_CHECKING:
    from typing_extensions import Self

    from rclpy.executors import Executor

T = TypeVar("T")
ALL: weakref.WeakSet[Context] = weakref.WeakSet()
_default: Context | None = None
POLL_S = 0.005  # how often somebody who waits for others looks
_lock = threading.RLock()


class Context:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ok = self._begun = False
        self._callbacks: list[Any] = []
        self.executors: weakref.WeakSet[Executor] = weakref.WeakSet()
        self._nodes = self._domain = 0
        self._participant: Participant | None = None
        self._graph: Graph | None = None
        self.arguments = Arguments()

    def init(self, args: Sequence[str] | None = None, *, domain_id: int | None = None) -> None:
        with self._lock:
            if self._begun:
                raise RuntimeError("Context.init() must only be called once")
            if domain_id is not None and domain_id < 0:
                raise RuntimeError(f"domain id ({domain_id}) should not be lower than zero.")
            self.arguments = parse(sys.argv[1:] if args is None else args)
            self._domain = domain_of_environment() if domain_id is None else domain_id
            self._ok = self._begun = True
            ALL.add(self)
        set_levels(self.arguments.levels)

    def ok(self) -> bool:
        return self._ok

    def ended(self) -> bool:
        return self._begun and not self._ok

    def get_domain_id(self) -> int:
        return self.participant.domain

    @property
    def participant(self) -> Participant:
        with self._lock:
            if not self._ok:
                raise NotInitializedException
            if self._participant is None:
                self._participant = Participant(self._domain)
            return self._participant

    @property
    def graph(self) -> Graph:
        with self._lock:
            if self._graph is None:
                self._graph = Graph(self.participant)
            return self._graph

    def on_shutdown(self, callback: Callable[[], Any]) -> None:
        """Methods are held weakly."""
        bound = hasattr(callback, "__self__")
        self._callbacks.append(weakref.WeakMethod(callback) if bound else lambda: callback)

    def shutdown(self) -> None:
        if not self.try_shutdown():
            raise RuntimeError("Context must be initialized before it can be shutdown")

    def try_shutdown(self) -> bool:
        over = self.end()
        if over:
            self.wake()
        return over

    def wait_until(self, look: Callable[[], T], timeout_sec: float | None) -> T:
        """What it answers as soon as that is true, or at the end; None waits until shutdown."""
        end = end_of(timeout_sec)
        while not (found := look()) and self._ok and time.monotonic() < end:
            time.sleep(POLL_S)
        return found

    def end(self) -> bool:
        """Without waking anybody: a signal's handler may have interrupted who holds a lock."""
        with self._lock:
            if not self._ok:
                return False
            self._ok = False
            callbacks, self._callbacks = self._callbacks, []
        for held in callbacks:
            if (callback := held()) is not None:
                callback()
        return True

    def wake(self) -> None:
        """Who waits: it looks again at whether to go on."""
        for executor in list(self.executors):
            executor.wake()
        self.count_node(0)

    def count_node(self, change: int) -> None:
        """The participant goes with the last node, after shutdown."""
        with self._lock:
            self._nodes += change
            if not self._ok and self._nodes <= 0:
                self.close()

    def close(self) -> None:
        """Say goodbye: who goes without is missed for as long as its lease lasts."""
        with self._lock:
            participant, self._participant, self._graph = self._participant, None, None
        if participant is not None:
            participant.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.try_shutdown()


def end_of(timeout_sec: float | None) -> float:
    """By the steady clock. None, and what is negative, never ends."""
    if timeout_sec is None or timeout_sec < 0:
        return math.inf
    return time.monotonic() + timeout_sec


def get_default_context(*, shutting_down: bool = False) -> Context:
    """There is always one; after the one that is shutting down comes another."""
    global _default
    with _lock:
        found = _default = _default or Context()
        if shutting_down:
            _default = None
        return found


def ok(*, context: Context | None = None) -> bool:
    return (context or get_default_context()).ok()


def try_shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).try_shutdown()


@atexit.register
def _close_all() -> None:
    with suppress(ValueError):  # only the main thread may, and only it can be interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for context in list(ALL):
        context.try_shutdown()
        context.close()

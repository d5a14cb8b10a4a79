"""Executors: one thread that calls callbacks, or several."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rclpy.context import Context
from rclpy.impl.executor import Executor, Work
from rclpy.impl.reasons import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
)

__all__ = [
    "ConditionReachedException",
    "Executor",
    "ExternalShutdownException",
    "MultiThreadedExecutor",
    "ShutdownException",
    "SingleThreadedExecutor",
    "TimeoutException",
]


class SingleThreadedExecutor(Executor):
    """Callbacks run in the thread that spins."""

    def _spin_once(self, timeout_sec: float | None, stop: Callable[[], bool]) -> None:
        try:
            work = self._next(timeout_sec, stop)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        self._execute(work)


class MultiThreadedExecutor(Executor):
    """Callbacks run in a pool of threads, by default as many as there are cores."""

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        count = num_threads or len(os.sched_getaffinity(0)) or 2
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="rclpy")
        self._raised: deque[BaseException] = deque()

    def _spin_once(self, timeout_sec: float | None, stop: Callable[[], bool]) -> None:
        try:
            work = self._next(timeout_sec, lambda: stop() or bool(self._raised))
            self._begin(work)
        except (
            *(ShutdownException, TimeoutException),
            *(ConditionReachedException, ExternalShutdownException),
        ):
            pass
        if self._raised:
            raise self._raised.popleft()

    def _begin(self, work: Work) -> None:
        try:
            self._pool.submit(self._run, work)
        except RuntimeError as error:  # the pool is closed
            raise ShutdownException from error

    def _run(self, work: Work) -> None:
        if self._is_shutdown:
            return
        try:
            self._execute(work)
        except BaseException as error:  # noqa: BLE001 - for the thread that spins
            self._raised.append(error)
            self.wake()

    def _taken(self) -> None:
        self.wake()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        over = super().shutdown(timeout_sec)
        self._pool.shutdown(wait=False)
        return over

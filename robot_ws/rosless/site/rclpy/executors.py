"""Executors wait for what nodes wait for, and call their callbacks: in one thread, or in several.

What is ready at one look is called in turn before the next look, so that who always is does not
keep others waiting. A callback group that is taken is not waited for: nothing spins.
"""

from __future__ import annotations

import inspect
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rosless.wire.graph import TIDY_NS
from rosless.wire.library import WireError
from rosless.wire.waiting import Waiting

from rclpy.context import Context, end_of, get_default_context
from rclpy.impl.entity import Entity
from rclpy.task import Future, Task

if TYPE_CHECKING:
    from typing_extensions import Self

    from rclpy.node import Node

Work = Task | Entity


def _cores() -> int:
    """Those that this process may use, where the system tells (macOS does not)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 2


class ExternalShutdownException(Exception):
    """An executor's context was shut down by somebody else."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(args or ("The passed context has been shut down",)))


class Executor:
    def __init__(self, *, context: Context | None = None) -> None:
        self.context = get_default_context() if context is None else context
        if self.context.ended():
            raise ExternalShutdownException
        self._waiting = Waiting(self.context.participant)
        self._nodes: list[Node] = []
        self._attached: dict[int, Entity] = {}
        self._ready: deque[Work] = deque()
        self._tasks: deque[Task] = deque()
        self._lock, self._looking = threading.RLock(), threading.RLock()
        self._at_work: list[int] = []  # the threads in callbacks
        self._work_done = threading.Condition()
        self._is_shutdown = False
        self.context.executors.add(self)

    def add_node(self, node: Node) -> bool:
        with self._lock:
            if node in self._nodes:
                return False
            self._nodes = [*self._nodes, node]
        node.executor = self
        self.wake()
        return True

    def remove_node(self, node: Node) -> None:
        with self._lock:
            self._nodes = [one for one in self._nodes if one is not node]
        self.wake()

    def get_nodes(self) -> list[Node]:
        return list(self._nodes)

    def create_task(self, callback: Any, *args: Any, **kwargs: Any) -> Task:
        """A function or coroutine, to be run by whoever spins."""
        task = Task(callback, args, kwargs, executor=self)
        self._resume(task)
        return task

    def _resume(self, task: Task) -> None:
        self._tasks.append(task)
        self.wake()

    def wake(self) -> None:
        self._waiting.wake()

    def spin(self) -> None:
        while self.context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        self._spin_once(timeout_sec, lambda: False)

    def spin_until_future_complete(self, future: Future, timeout_sec: float | None = None) -> None:
        future._when_done(self.wake)
        end = end_of(timeout_sec)
        while self.context.ok() and not future.done() and not self._is_shutdown:
            if (left := end - time.monotonic()) < 0:
                return
            self._spin_once(left, future.done)

    def _spin_once(self, timeout_sec: float | None, stop: Callable[[], bool]) -> None:
        work = self._next(timeout_sec, stop)
        if work is not None:
            self._execute(work)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Whether all that was running is done by then; who calls it is not waited for."""
        self._is_shutdown = True
        self.wake()
        limit = None if timeout_sec is None or timeout_sec < 0 else timeout_sec
        here = {threading.get_ident()}
        with self._work_done:
            if not self._work_done.wait_for(lambda: here.issuperset(self._at_work), limit):
                return False
        with self._lock:
            self._nodes = []
        with self._looking:
            self._attached = {}
            self._ready.clear()
            self._tasks.clear()
            self._waiting.close()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def _next(self, timeout_sec: float | None, stop: Callable[[], bool]) -> Work | None:
        """The next thing to do, if there is one in time."""
        end, looked = end_of(timeout_sec), False
        while not (self._is_shutdown or stop()):
            if not self.context.ok():
                raise ExternalShutdownException
            if (work := self._lined_up()) is not None:
                return work
            left = max(end - time.monotonic(), 0.0)
            if looked and left == 0:
                break
            self._look(None if left == math.inf else int(1e9 * left))
            looked = True
        return None

    def _lined_up(self) -> Work | None:
        while self._ready:
            work = self._ready.popleft()
            if isinstance(work, Task):
                return work
            if work.eligible():
                work.busy = True
                return work
        return None

    def _look(self, limit: int | None) -> None:
        """Wait until something is ready, and line up all that is."""
        with self._looking:
            if self._is_shutdown:
                return
            timed, told = list[Entity](), list[Entity]()
            try:
                told = self._wait(timed, limit)
            except WireError:  # shutdown has closed what was waited with
                if self.context.ok():
                    raise
            for _ in range(len(self._tasks)):
                self._ready.append(self._tasks.popleft())
            self._ready.extend(one for one in timed if one.wait_ns() == 0)
            self._ready.extend(told)

    def _wait(self, timed: list[Entity], limit: int | None) -> list[Entity]:
        wanted = dict[int, Entity]()
        limit = TIDY_NS if limit is None else min(limit, TIDY_NS)
        for node in self._nodes:
            node._ros_graph.tidy()
            for entity in node._ros_entities:
                if not entity.eligible():
                    continue
                if entity.condition is not None:
                    wanted[entity.condition] = entity
                elif (wait := entity.wait_ns()) is not None:
                    timed.append(entity)
                    limit = min(wait, limit)
        for condition in self._attached.keys() - wanted.keys():
            self._waiting.remove(condition)
        for condition in wanted.keys() - self._attached.keys():
            try:
                self._waiting.add(condition, wanted[condition])
            except WireError:  # destroyed meanwhile, by another thread
                if wanted.pop(condition).alive:
                    raise
        self._attached = wanted
        return self._waiting.wait(0 if self._tasks else limit)

    def _execute(self, work: Work) -> None:
        """Raises what the callback raised."""
        here = threading.get_ident()
        with self._work_done:
            self._at_work.append(here)
        try:
            if isinstance(work, Task):
                work.proceed()
            else:
                self._call(work)
        finally:
            with self._work_done:
                self._at_work.remove(here)
                self._work_done.notify_all()

    def _call(self, entity: Entity) -> None:
        if not entity.callback_group.beginning_execution(entity):
            entity.busy = False
            self._taken()  # whoever had the group may have left it already
            return
        Task(self._to_its_end, (entity,), executor=self).proceed()

    async def _to_its_end(self, entity: Entity) -> None:
        """What was begun, however often it waits for something."""
        try:
            call = self._take(entity)
            result = call() if call is not None else None
            if inspect.iscoroutine(result):
                await result
        finally:
            entity.callback_group.ending_execution(entity)
            self._taken()

    def _take(self, entity: Entity) -> Callable[[], Any] | None:
        try:
            return entity.take() if entity.alive else None
        except WireError:  # destroyed meanwhile, by another thread
            if entity.alive:
                raise
            return None
        finally:
            entity.busy = False
            self._taken()

    def _taken(self) -> None:
        """Something may be waited for again."""


class SingleThreadedExecutor(Executor):
    """Callbacks run in the thread that spins."""


class MultiThreadedExecutor(Executor):
    """Callbacks run in a pool of threads, by default as many as there are cores."""

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        count = num_threads or _cores()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="rclpy")
        self._raised: deque[BaseException] = deque()

    def _spin_once(self, timeout_sec: float | None, stop: Callable[[], bool]) -> None:
        try:
            work = self._next(timeout_sec, lambda: stop() or bool(self._raised))
            if work is not None:
                self._pool.submit(self._run, work)
        except (ExternalShutdownException, RuntimeError):  # its pool is closed
            if self.context.ok() and not self._is_shutdown:
                raise
        if self._raised:
            raise self._raised.popleft()

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

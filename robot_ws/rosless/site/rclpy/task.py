"""Futures, and the tasks that an executor runs. A coroutine that waits for a future is resumed when
that is done, and costs nothing until then."""

from __future__ import annotations

import inspect
import threading
import warnings
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rclpy.executors import Executor


YIELDED = object()  # what a task waits for that waits for nothing


class Future:
    def __init__(self, *, executor: Executor | None = None) -> None:
        self._done = self._cancelled = False
        self._result: Any = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Any], Any]] = []
        self._resumed: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._executor = weakref.ref(executor) if executor is not None else None

    def __await__(self) -> Generator[Future, None, Any]:
        while not (self._done or self._cancelled):
            yield self
        return self.result()

    def done(self) -> bool:
        return self._done

    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        with self._lock:
            if not self._done:
                self._cancelled = True
        self._finished()

    def result(self) -> Any:
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        return self._exception

    def set_result(self, result: Any) -> None:
        with self._lock:
            self._result, self._done, self._cancelled = result, True, False
        self._finished()

    def set_exception(self, exception: BaseException) -> None:
        with self._lock:
            self._exception, self._done, self._cancelled = exception, True, False
        self._finished()

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """Called with the future when it is done, by its executor if it has one."""
        with self._lock:
            if not (over := self._done):
                self._callbacks.append(callback)
        if over:
            self._call(callback)

    def _when_done(self, resume: Callable[[], None]) -> None:
        """At once, in whatever thread: for who only wakes somebody up."""
        with self._lock:
            over = self._done or self._cancelled
            if not over and resume not in self._resumed:
                self._resumed.append(resume)
        if over:
            resume()

    def _finished(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
            resumed, self._resumed = self._resumed, []
        for resume in resumed:
            resume()
        for callback in callbacks:
            self._call(callback)

    def _call(self, callback: Callable[[Any], Any]) -> None:
        executor = self._executor() if self._executor is not None else None
        if executor is not None:
            executor.create_task(callback, self)
            return
        try:
            callback(self)
        except Exception as error:  # noqa: BLE001 - others are to be called, too
            warnings.warn(f"a future's callback raised: {error!r}", stacklevel=2)


class Task(Future):
    """A function or coroutine with its arguments."""

    def __init__(
        self,
        handler: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        executor: Executor,
    ) -> None:
        super().__init__(executor=executor)
        begun = inspect.iscoroutine(handler)
        self._work = handler if begun else partial(handler, *args, **(kwargs or {}))
        self._running = threading.Lock()

    def __del__(self) -> None:
        if inspect.iscoroutine(self._work):
            self._work.close()  # of an executor that was shut down before its turn

    def proceed(self) -> None:
        """As far as it goes. Raises what it raised, should that be its end."""
        if self._done or not self._running.acquire(blocking=False):
            return
        try:
            again = self._run()
        finally:
            self._running.release()
        executor = self._executor() if self._executor is not None else None
        if again is None:
            self.result()
        elif isinstance(again, Future):
            again._when_done(lambda: executor._resume(self) if executor is not None else None)
        elif executor is not None:  # a bare yield: let others have their turn
            executor._resume(self)

    def _run(self) -> Any:
        """None at its end, else what it waits for."""
        try:
            if not inspect.iscoroutine(self._work):
                result = self._work()
                if not inspect.iscoroutine(result):
                    return self.set_result(result)
                self._work = result
            return self._work.send(None) or YIELDED
        except StopIteration as end:
            return self.set_result(end.value)
        except Exception as error:  # noqa: BLE001 - it is the result
            return self.set_exception(error)

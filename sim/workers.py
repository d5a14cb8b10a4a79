"""Processes that answer requests, and a ready queue of their answers.

A worker is started by spawn, so that it inherits neither a graphics context nor the lock of a file
that is being written. It ends when its pipe does: when it is closed, or when the parent is gone,
however that went.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import cv2

from policy.experience.errors import MISTAKES

SPAWN = multiprocessing.get_context("spawn")
PATIENCE_S = 30.0  # for the request in hand, when closing

Serve = Callable[[Any], Any]
Start = Callable[..., AbstractContextManager[Serve]]


class WorkerError(RuntimeError):
    """A worker failed or died. The message names it, and says how."""


@dataclass(frozen=True)
class _Failure:
    text: str


def cores() -> int:
    """That this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Each worker enters `start(number, *arguments)`, which must be importable by name, and calls
    what that yields with one request after the other. `names` are for messages."""

    def __init__(self, names: Sequence[str], start: Start, *arguments: Any) -> None:
        self._names = names
        self._pipes: list[Connection[Any, Any]] = []
        self._processes = []
        for number, name in enumerate(names):
            ours, theirs = SPAWN.Pipe()
            process = SPAWN.Process(
                target=_run, args=(theirs, start, number, arguments), name=name, daemon=True
            )
            process.start()
            theirs.close()  # else its end would not show
            self._pipes.append(ours)
            self._processes.append(process)

    def send(self, number: int, request: Any) -> None:
        try:
            self._pipes[number].send(request)
        except OSError:
            raise self._fallen(number) from None

    def ready(self) -> Iterator[tuple[int, Any]]:
        """What has been answered since: worker and answer, waiting for at least one."""
        if any(pipe.closed for pipe in self._pipes):
            raise WorkerError("asked after they were closed: start others")
        numbers = {pipe: number for number, pipe in enumerate(self._pipes)}
        for pipe in wait(self._pipes):
            number = numbers[pipe]  # type: ignore[index]
            try:
                answer = self._pipes[number].recv()
            except (EOFError, OSError):
                raise self._fallen(number) from None
            if isinstance(answer, _Failure):
                self.close()
                raise WorkerError(f"{self._names[number]}: {answer.text}")
            yield number, answer

    def close(self) -> None:
        """Let each finish the request in hand, and end it."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(PATIENCE_S)
            if process.exitcode is None:
                process.kill()
                process.join()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fallen(self, number: int) -> WorkerError:
        """Called once its pipe has ended: its last words, or how it died without any."""
        process, pipe = self._processes[number], self._pipes[number]
        if pipe.closed:
            return WorkerError(f"{self._names[number]}: asked after it was closed")
        try:
            while pipe.poll():
                answer = pipe.recv()
                if isinstance(answer, _Failure):
                    self.close()
                    return WorkerError(f"{self._names[number]}: {answer.text}")
        except (EOFError, OSError):
            pass  # nothing more was said
        process.join(PATIENCE_S)
        code = process.exitcode
        how = "its pipe broke" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            how += f" ({signal.Signals(-code).name}; out of memory, if nobody sent it)"
        self.close()
        return WorkerError(f"{self._names[number]}: {how}; see its last words above, if any")


def _run(pipe: Connection[Any, Any], start: Start, number: int, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it closes the pipe
    cv2.setNumThreads(1)  # a process a core: threads would only get in each other's way
    try:
        with start(number, *arguments) as serve:
            while True:
                pipe.send(serve(pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MISTAKES as error:
        _tell(pipe, str(error))  # these say themselves what to do
    except Exception:  # noqa: BLE001 - whatever it is, the parent raises it
        _tell(pipe, traceback.format_exc())
    sys.exit(1)


def _tell(pipe: Connection[Any, Any], text: str) -> None:
    try:
        pipe.send(_Failure(text))
    except OSError:  # nobody is there to hear it
        print(text, file=sys.stderr)

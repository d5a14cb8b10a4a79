"""What tests of nodes do again and again: wait with patience, spin beside, run a process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import rclpy
import rosless
from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

PATIENCE_S = 20.0  # a slow core, with others on it
LAUNCH = [sys.executable, "-m", "rosless", "launch"] if rosless.ACTIVE else ["ros2", "launch"]
Make = Callable[..., Node]
Spin = Callable[..., "Spinner"]


def until(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """What the condition answers as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.002)
    return found


def result(future: Future, seconds: float = PATIENCE_S) -> Any:
    """Of what somebody else's spinning brings about."""
    until(future.done, seconds)
    return future.result()


def spun(node: Node, future: Future, executor: Executor | None = None) -> Any:
    """What is known when it has been spun for."""
    rclpy.spin_until_future_complete(node, future, executor, timeout_sec=PATIENCE_S)
    assert future.done(), "it did not come to be"
    return future.result()


def spun_until(node: Node, condition: Callable[[], Any], executor: Executor | None = None) -> Any:
    """What the condition answers as soon as that is true; meanwhile it is spun."""

    def looked() -> Any:
        rclpy.spin_once(node, executor=executor, timeout_sec=0.01)
        return condition()

    return until(looked)


def triggers(node: Node, group: CallbackGroup, callback: Any, count: int) -> list[Any]:
    """Guard conditions, each triggered once."""
    made = [node.create_guard_condition(callback, group) for _ in range(count)]
    for one in made:
        one.trigger()
    return made


class Spinner:
    """A thread that spins, and keeps what ended it."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:  # noqa: BLE001 - for who stops it
            self.error = error

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> None:
        self.executor.shutdown(PATIENCE_S)
        self.join()

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert self.ended(), "it still spins"
        if self.error is not None:
            raise self.error


@contextmanager
def spinning(*nodes: Node, executor: Executor | None = None) -> Iterator[Spinner]:
    chosen = executor or SingleThreadedExecutor(context=nodes[0].context)
    for node in nodes:
        chosen.add_node(node)
    spinner = Spinner(chosen)
    try:
        yield spinner
    finally:
        spinner.stop()


@contextmanager
def told(*args: str) -> Iterator[Context]:
    """A context with arguments of its own."""
    context = Context()
    context.init(args=["program", *args])
    try:
        yield context
    finally:
        context.try_shutdown()


PREFACE = """
import sys
try:
    import rosless
except ImportError:
    pass
import rclpy
from rclpy.node import Node
"""


class Program:
    """Python in a process of its own; what it prints can be waited for."""

    def __init__(self, source: str, *args: str) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PREFACE + source, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip())

    def says(self, line: str) -> None:
        until(lambda: line in self.lines or self.process.poll() is not None)
        assert line in self.lines, "\n".join(self.errors)

    def ends(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.ends()

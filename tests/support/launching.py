"""Runs launch descriptions for the tests: here, or as the command in a process of its own."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import launch
from launch import (
    Action,
    LaunchContext,
    LaunchDescription,
    LaunchDescriptionEntity,
    LaunchService,
    Substitution,
)
from launch.actions import ExecuteProcess, LogInfo, RegisterEventHandler
from launch.event_handlers import OnProcessIO
from launch.events.process import ProcessIO

# For the command: where rosless is, and the part that stands in for ROS.
SITE = Path(launch.__file__).parents[1]
PATH = os.pathsep.join((str(SITE.parents[1]), str(SITE)))
# Says each of these signals that it gets; the last one ends it.
HEARS = """
import os, signal, sys
def hear(number, _):
    os.write(1, f'got {signal.Signals(number).name}\\n'.encode())
    if number == numbers[-1]:
        sys.exit()
numbers = [signal.Signals[name] for name in sys.argv[1].split()]
for number in numbers:
    signal.signal(number, hear)
os.write(1, b'ready\\n')  # in one piece, unlike print
while True:
    signal.pause()
"""


@dataclass
class Run:
    code: int
    text: str  # on the screen

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def said(self, name: str) -> list[str]:
        """By the process of this name, without the prefix."""
        found = []
        for line in self.lines:
            head, _, rest = line.partition("] ")
            if head.startswith(f"[{name}-"):
                found.append(rest)
        return found


def run(
    *entities: LaunchDescriptionEntity,
    logs: Path | None = None,
    drive: Callable[[LaunchService], int] = LaunchService.run,
) -> Run:
    """In this process. The environment is as before afterwards."""
    screen = io.StringIO()
    with tempfile.TemporaryDirectory() as elsewhere, restored_environment():
        os.environ["ROS_LOG_DIR"] = str(logs or elsewhere)
        with redirect_stdout(screen):
            service = LaunchService()
            service.include_launch_description(LaunchDescription(entities))
            code = drive(service)
    return Run(code, screen.getvalue())


def say(*parts: str | Substitution, **options: object) -> LogInfo:
    return LogInfo(msg=parts, **options)  # type: ignore[arg-type]


class Call(Action):
    """Of a function, when it is visited."""

    def __init__(self, function: Callable[[LaunchContext], None]) -> None:
        super().__init__()
        self.execute = function  # type: ignore[assignment]


def heard(*entities: LaunchDescriptionEntity) -> list[str]:
    """What was said in a run that went well."""
    result = run(*entities)
    assert result.code == 0, result.text
    head = "[INFO] [launch.user]: "
    return [line.removeprefix(head) for line in result.lines if line.startswith(head)]


def failure(*entities: LaunchDescriptionEntity) -> str:
    """What a run that failed said why."""
    result = run(*entities)
    assert result.code == 1, result.text
    return result.text


def matched(pattern: str, result: Run) -> re.Match[str]:
    found = re.search(pattern, result.text, re.MULTILINE)
    assert found, result.text
    return found


def when_ready(process: ExecuteProcess, *then: LaunchDescriptionEntity) -> RegisterEventHandler:
    """Once it has said so."""

    def look(event: ProcessIO) -> list[LaunchDescriptionEntity]:
        return list(then) if b"ready" in event.text else []

    return RegisterEventHandler(OnProcessIO(target_action=process, on_stdout=look))


@contextmanager
def restored_environment() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def python(code: str, *arguments: str, **options: object) -> ExecuteProcess:
    """A process that runs this, its output on the screen."""
    settings = {"name": "it", "output": "screen", **options}
    return ExecuteProcess(cmd=[sys.executable, "-u", "-c", code, *arguments], **settings)  # type: ignore[arg-type]


class Command:
    """`rosless launch` in a session of its own, its output read line by line."""

    def __init__(self, directory: Path, text: str, *arguments: str) -> None:
        file = directory / "under_test.launch.py"
        file.write_text(text)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rosless.cli.launch", str(file), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": PATH, "ROS_LOG_DIR": str(directory / "log")},
            start_new_session=True,
        )
        self.lines: list[str] = []

    def until(self, *texts: str) -> None:
        """Reads on until each of these has been in a line of its own."""
        assert self.process.stdout is not None
        left = list(texts)
        while left:
            line = self.process.stdout.readline()
            assert line, f"no line with {left}: {self.text}"
            self.lines.append(line.rstrip("\n"))
            for text in left:
                if text in line:
                    left.remove(text)
                    break

    def end(self) -> int:
        """Reads what is left. The output ends when everything that was started has."""
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

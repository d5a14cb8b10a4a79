"""Runs a process: starts it, passes on what it says, and ends it when launch ends."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from signal import Signals
from typing import Any

from ..action import Action
from ..event import Event
from ..event_handler import EventHandler
from ..event_handlers import Answer, OnProcessExit, OnShutdown
from ..events.process import (
    ProcessExited,
    ProcessIO,
    ProcessStarted,
    ProcessTargetedEvent,
    RunningProcessEvent,
    ShutdownProcess,
    SignalProcess,
)
from ..launch_context import LaunchContext
from ..logging import Output, get_logger, get_output_loggers
from ..process import Process
from ..substitution import SomeSubstitutionsType, resolve
from ..substitutions import LaunchConfiguration
from ..utilities import typed

_numbers = itertools.count(1)  # in the names of processes, over all of launch

_PREFIX = LaunchConfiguration("launch-prefix", default="")
_SIGTERM_TIMEOUT = LaunchConfiguration("sigterm_timeout", default=5)
_SIGKILL_TIMEOUT = LaunchConfiguration("sigkill_timeout", default=5)

Environment = Mapping[Any, SomeSubstitutionsType]  # keys are text too


@dataclass(eq=False, kw_only=True)
class ExecuteProcess(Action):
    """`sigterm_timeout` is the time from SIGINT to SIGTERM in seconds, `sigkill_timeout` that from
    SIGTERM to SIGKILL, for a process that does not end by itself."""

    cmd: Iterable[SomeSubstitutionsType]
    prefix: SomeSubstitutionsType = _PREFIX
    name: SomeSubstitutionsType | None = None
    cwd: SomeSubstitutionsType | None = None
    env: Environment | None = None
    additional_env: Environment | None = None
    shell: bool = False
    sigterm_timeout: SomeSubstitutionsType = _SIGTERM_TIMEOUT
    sigkill_timeout: SomeSubstitutionsType = _SIGKILL_TIMEOUT
    emulate_tty: bool = False
    output: Output | SomeSubstitutionsType = "log"
    on_exit: Answer = None
    respawn: bool | SomeSubstitutionsType = False
    respawn_delay: float | None = None
    respawn_max_retries: int = -1
    cached_output: bool = False
    log_cmd: bool = False
    output_format: str = ""

    def __post_init__(self) -> None:
        for feature in ("cached_output", "log_cmd", "output_format"):
            if getattr(self, feature):
                raise NotImplementedError(
                    f"{type(self).__name__}: {feature} is not in rosless: leave it out"
                )
        self.process_details: dict[str, Any] | None = None
        self.return_code: int | None = None
        self._process: Process | None = None
        self._stop: asyncio.Future[None] | None = None  # done once it is asked to end
        self._ended: asyncio.Task[None] | None = None

    def program(self, context: LaunchContext) -> tuple[str, list[str]]:
        """What to call it, and its command line without the prefix."""
        cmd = [resolve(context, part) for part in self.cmd]
        return os.path.basename(cmd[0]), cmd

    def environment(self, context: LaunchContext) -> dict[str, str]:
        env = dict(context.environment) if self.env is None else _texts(context, self.env)
        return env | _texts(context, self.additional_env or {})

    def execute(self, context: LaunchContext) -> None:
        if self._ended is not None:
            raise RuntimeError(
                f"process {self.name} is executed a second time: an action stands for one process, "
                "so write another action"
            )
        if context.is_shutdown:
            return
        label, cmd = self.program(context)
        prefix = shlex.split(resolve(context, self.prefix))
        if prefix:
            label, cmd = os.path.basename(prefix[0]), prefix + cmd
        if self.name is not None:
            label = resolve(context, self.name)
        self.name = name = f"{label}-{next(_numbers)}"
        self.cmd = cmd
        cwd = None if self.cwd is None else resolve(context, self.cwd)
        env = self.environment(context)
        self.process_details = {"action": self, "name": name, "cmd": cmd, "cwd": cwd, "env": env}

        output = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT", self.output)
        if not isinstance(output, (str, Mapping)):
            output = resolve(context, output)
        lines = _Lines(name, get_output_loggers(name, output))
        self._stop = context.asyncio_loop.create_future()
        for handler in (
            EventHandler(matcher=self._meant(ShutdownProcess), entities=self._end),
            EventHandler(matcher=self._meant(SignalProcess), entities=self._pass_on),
            OnShutdown(on_shutdown=self._end),
            OnProcessExit(target_action=self, on_exit=self.on_exit),
        ):
            context.register_event_handler(handler)
        timeouts = (self.sigterm_timeout, self.sigkill_timeout)
        patience = [typed(context, timeout, float) for timeout in timeouts]
        respawns = self.respawn_max_retries if typed(context, self.respawn, bool) else 0
        running = self._run(context, lines, patience, respawns)
        self._ended = context.asyncio_loop.create_task(running)

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        return self._ended

    def _meant(self, kind: type[ProcessTargetedEvent]) -> Callable[[Event], bool]:
        return lambda event: isinstance(event, kind) and event.process_matcher(self)

    def _end(self, event: Event, context: LaunchContext) -> None:
        assert self._stop is not None
        if not self._stop.done():
            self._stop.set_result(None)

    def _pass_on(self, event: SignalProcess, context: LaunchContext) -> None:
        if self._process is not None:
            logger = get_logger(str(self.name))
            logger.info(f"sending signal '{event.signal_name}' to process[{self.name}]")
            self._process.send(event.signal)

    async def _run(
        self, context: LaunchContext, lines: _Lines, patience: list[float], respawns: int
    ) -> None:
        """From start to exit, and again as often as it is to be respawned: -1 is for ever."""
        assert self.process_details is not None
        assert self._stop is not None
        details, logger = self.process_details, get_logger(str(self.name))

        def emit(kind: type[RunningProcessEvent], **more: Any) -> None:
            about = {key: value for key, value in details.items() if key != "name"}
            context.emit_event_sync(kind(process_name=str(self.name), **about, **more))

        def on_output(number: int, data: bytes) -> None:
            lines.add(number, data)
            emit(ProcessIO, text=data, fd=number)

        cmd = ["/bin/sh", "-c", " ".join(details["cmd"])] if self.shell else details["cmd"]
        while not self._stop.done():
            try:
                self._process = await Process.start(
                    cmd,
                    cwd=details["cwd"],
                    env=details["env"],
                    emulate_tty=self.emulate_tty,
                    on_output=on_output,
                    watch=context.guardian,
                )
            except OSError as error:
                logger.error(f"exception occurred while executing process: {error}")
                return
            details["pid"] = pid = self._process.pid
            logger.info(f"process started with pid [{pid}]")
            emit(ProcessStarted)
            self.return_code = code = await self._until_exit(self._process, patience)
            lines.end()
            if code == 0:
                logger.info(f"process has finished cleanly [pid {pid}]")
            else:
                line = " ".join(part for part in details["cmd"] if part.strip())
                logger.error(f"process has died [pid {pid}, exit code {code}, cmd '{line}'].")
            emit(ProcessExited, returncode=code)
            if respawns == 0:
                return
            respawns -= 1
            await asyncio.wait({self._stop}, timeout=self.respawn_delay or 0)

    async def _until_exit(self, process: Process, patience: list[float]) -> int:
        assert self._stop is not None
        ended = asyncio.ensure_future(process.wait())
        waited: set[asyncio.Future[Any]] = {ended, self._stop}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        logger = get_logger(str(self.name))
        for name, seconds, following in (
            ("SIGINT", patience[0], "SIGTERM"),
            ("SIGTERM", patience[1], "SIGKILL"),
            ("SIGKILL", None, ""),
        ):
            if ended.done():
                break
            logger.info(f"sending signal '{name}' to process[{self.name}]")
            process.send_to_group(Signals[name])
            await asyncio.wait({ended}, timeout=seconds)
            if not ended.done():
                logger.error(
                    f"process[{self.name}] failed to terminate '{seconds:g}' seconds after "
                    f"receiving '{name}', escalating to '{following}'"
                )
        return await ended


class _Lines:
    """What a process says, line by line, each with the name of the process before it."""

    def __init__(self, name: str, loggers: tuple[logging.Logger, logging.Logger]) -> None:
        self._name = name
        self._loggers = {1: loggers[0], 2: loggers[1]}
        self._rest = {1: b"", 2: b""}

    def add(self, number: int, data: bytes) -> None:
        *lines, self._rest[number] = (self._rest[number] + data).split(b"\n")
        for line in lines:
            self._loggers[number].info(f"[{self._name}] {line.decode(errors='replace')}")

    def end(self) -> None:
        """Say the last line too, if it was not ended."""
        for number, rest in self._rest.items():
            if rest:
                self.add(number, b"\n")


def _texts(context: LaunchContext, environment: Environment) -> dict[str, str]:
    return {resolve(context, key): resolve(context, value) for key, value in environment.items()}

"""Runs a process: starts it, passes on what it says, and ends it when launch ends."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from signal import Signals
from typing import Any

from .event_handlers import Answer, OnProcessExit
from .events import ProcessExited, ProcessIO, RunningProcessEvent
from .launch_context import LaunchContext
from .launch_description import Action
from .logging import OUTPUTS
from .process import Process
from .substitutions import SomeSubstitutionsType, number, resolve, truth

_numbers = itertools.count(1)  # in the names of processes, over all of launch
Environment = Mapping[Any, SomeSubstitutionsType]  # keys are text too


@dataclass(eq=False, kw_only=True)
class ExecuteProcess(Action):
    """`sigterm_timeout` is the time from SIGINT to SIGTERM in seconds, `sigkill_timeout` that from
    SIGTERM to SIGKILL, for a process that does not end by itself."""

    cmd: Iterable[SomeSubstitutionsType]
    name: SomeSubstitutionsType | None = None
    cwd: SomeSubstitutionsType | None = None
    env: Environment | None = None
    additional_env: Environment | None = None
    shell: bool = False
    sigterm_timeout: SomeSubstitutionsType = "5"
    sigkill_timeout: SomeSubstitutionsType = "5"
    output: SomeSubstitutionsType = "log"
    on_exit: Answer = None
    respawn: bool | SomeSubstitutionsType = False
    respawn_delay: float | None = None
    respawn_max_retries: int = -1

    def __post_init__(self) -> None:
        self.return_code: int | None = None
        self._begun = False

    def program(self, context: LaunchContext) -> tuple[str, list[str]]:
        """What to call it, and its command line."""
        cmd = [resolve(context, part) for part in self.cmd]
        return os.path.basename(cmd[0]), cmd

    def environment(self, context: LaunchContext) -> dict[str, str]:
        env = dict(os.environ) if self.env is None else _texts(context, self.env)
        return env | _texts(context, self.additional_env or {})

    def execute(self, context: LaunchContext) -> None:
        if self._begun:
            raise RuntimeError(
                f"process {self.name} is executed a second time: an action stands for one process, "
                "so write another action"
            )
        if context.is_shutdown:
            return
        self._begun = True
        label, cmd = self.program(context)
        if self.name is not None:
            label = resolve(context, self.name)
        self.name = name = f"{label}-{next(_numbers)}"
        details = {
            "action": self,
            "process_name": name,
            "cmd": cmd,
            "cwd": None if self.cwd is None else resolve(context, self.cwd),
            "env": self.environment(context),
        }
        output = resolve(context, self.output)
        if output not in OUTPUTS:
            raise ValueError(
                f"process {name}: output is {output!r}, wanted one of {', '.join(OUTPUTS)}"
            )
        context.handlers.appendleft(OnProcessExit(target_action=self, on_exit=self.on_exit))
        context.start(self._run(context, name, details, output))

    async def _run(
        self, context: LaunchContext, name: str, details: dict[str, Any], output: str
    ) -> None:
        """From start to exit, and again as often as it is to be respawned: -1 is for ever."""
        log, rest = context.log, {1: b"", 2: b""}
        patience = [number(context, s) for s in (self.sigterm_timeout, self.sigkill_timeout)]
        respawns = self.respawn_max_retries if truth(context, self.respawn) else 0

        def emit(kind: type[RunningProcessEvent], **more: Any) -> None:
            context.emit_event_sync(kind(**details, **more))

        def say(which: int, data: bytes) -> None:
            *lines, rest[which] = (rest[which] + data).split(b"\n")
            screen, file = OUTPUTS[output][which - 1]
            for line in lines:
                log.line(f"[{name}] {line.decode(errors='replace')}", screen=screen, log=file)

        def on_start(pid: int) -> None:
            details["pid"] = pid
            log.info(f"process started with pid [{pid}]", name)

        def on_output(which: int, data: bytes) -> None:
            say(which, data)
            emit(ProcessIO, text=data, fd=which)

        cmd = details["cmd"]
        words = ["/bin/sh", "-c", " ".join(cmd)] if self.shell else cmd
        while not context.is_shutdown:
            process = Process(on_start, on_output)
            try:
                await process.start(words, details["cwd"], details["env"])
            except OSError as error:
                log.error(f"exception occurred while executing process: {error}", name)
                return
            context.processes.add(process)
            self.return_code = code = await _until_exit(context, process, name, patience)
            context.processes.remove(process)
            for which in (1, 2):
                if rest[which]:  # its last line was not ended
                    say(which, b"\n")
            if code == 0:
                log.info(f"process has finished cleanly [pid {process.pid}]", name)
            else:
                line = " ".join(part for part in cmd if part.strip())
                log.error(
                    f"process has died [pid {process.pid}, exit code {code}, cmd '{line}'].", name
                )
            emit(ProcessExited, returncode=code)
            if respawns == 0 or await context.ends_within(self.respawn_delay or 0):
                return
            respawns -= 1


async def _until_exit(
    context: LaunchContext, process: Process, name: str, patience: list[float]
) -> int:
    """Once launch ends, it is asked to end, and then made to."""
    ended, ending = (asyncio.ensure_future(one) for one in (process.wait(), context.ending.wait()))
    await asyncio.wait({ended, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    words = ("SIGINT", "SIGTERM", "SIGKILL")
    for word, seconds, following in zip(words, (*patience, None), (*words[1:], ""), strict=True):
        if ended.done():
            break
        context.log.info(f"sending signal '{word}' to process[{name}]", name)
        process.send(Signals[word])
        await asyncio.wait({ended}, timeout=seconds)
        if not ended.done():
            context.log.error(
                f"process[{name}] failed to terminate '{seconds:g}' seconds after receiving "
                f"'{word}', escalating to '{following}'",
                name,
            )
    return await ended


def _texts(context: LaunchContext, environment: Environment) -> dict[str, str]:
    return {resolve(context, key): resolve(context, value) for key, value in environment.items()}

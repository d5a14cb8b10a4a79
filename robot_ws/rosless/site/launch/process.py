"""Processes, each in a session of its own.

That keeps Ctrl-C in the terminal from reaching a process past launch: however launch is
interrupted, each process and its children get one SIGINT, from launch.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

_PR_SET_PDEATHSIG = 1
_LAST_WORDS_S = 0.5  # for what is still in the pipes; who holds them open beyond is not waited for


def _end_with_launch() -> None:
    """However that ends. It is Linux's; elsewhere, who outlives a launch that is killed goes on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


class Process(asyncio.SubprocessProtocol):
    def __init__(
        self, on_start: Callable[[int], None], on_output: Callable[[int, bytes], None]
    ) -> None:
        """`on_start` is told its number, before `on_output` is told 1 or 2, and what was written
        there: a process may speak before `start` returns."""
        self._on_start, self._on_output = on_start, on_output
        self._exited, self._closed = asyncio.Event(), asyncio.Event()

    async def start(self, cmd: Sequence[str], cwd: str | None, env: dict[str, str]) -> None:
        """OSError where it cannot be."""
        how: dict[str, Any] = {
            "start_new_session": True,
            "preexec_fn": _end_with_launch,
            "stdin": PIPE,
        }
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.subprocess_exec(lambda: self, *cmd, cwd=cwd, env=env, **how)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self.pid = transport.get_pid()
        self._on_start(self.pid)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on_output(fd, data)

    def process_exited(self) -> None:
        self._exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def wait(self) -> int:
        """Its exit code, -N where signal N ended it, after the last of its output. Children that
        it left behind end with it."""
        await self._exited.wait()
        self.send(signal.SIGKILL)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._closed.wait(), _LAST_WORDS_S)
        self._transport.close()
        return self._transport.get_returncode() or 0

    def send(self, number: signal.Signals) -> None:
        """To its children too, as Ctrl-C in a terminal would."""
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(self.pid, number)

"""Processes, each in a session of its own, and the guardian that outlives launch to end them.

Its own session keeps Ctrl-C in the terminal from reaching a process past launch: however launch is
interrupted, each process and its children get one SIGINT, from launch.
"""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress

from . import guardian

_READ = 1 << 16
_MOST = 16  # reads that hold all a pipe can

OnOutput = Callable[[int, bytes], None]  # 1 or 2, and what was written there


class Guardian:
    """Launch's end of `guardian.py`."""

    async def start(self) -> None:
        script = [sys.executable, "-IS", guardian.__file__]
        self._process = await asyncio.create_subprocess_exec(
            *script, stdin=PIPE, start_new_session=True
        )

    def watch(self, group: int) -> None:
        self._write(f"{group}\n")

    def release(self, group: int) -> None:
        """Its first process has ended. Children that it left behind end with launch."""
        self._write(f"-{group}\n")

    async def close(self) -> None:
        """Returns once nothing is left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())


class Process:
    def __init__(
        self, process: asyncio.subprocess.Process, outputs: Sequence[_Output], watch: Guardian
    ) -> None:
        self._process = process
        self._outputs = outputs
        self._guardian = watch
        self.pid = process.pid
        watch.watch(self.pid)

    @classmethod
    async def start(
        cls,
        cmd: Sequence[str],
        *,
        cwd: str | None,
        env: dict[str, str],
        emulate_tty: bool,
        on_output: OnOutput,
        watch: Guardian,
    ) -> Process:
        """OSError where it cannot be."""
        pairs = [pty.openpty() if emulate_tty else os.pipe() for _ in range(2)]
        theirs = [pair[1] for pair in pairs]
        try:
            process = await asyncio.create_subprocess_exec(
                *cmd,
                cwd=cwd,
                env=env,
                stdin=PIPE,
                stdout=theirs[0],
                stderr=theirs[1],
                start_new_session=True,
            )
        except BaseException:
            for ours, _ in pairs:
                os.close(ours)
            raise
        finally:
            for end in theirs:
                os.close(end)
        outputs = [_Output(number, pair[0], on_output) for number, pair in enumerate(pairs, 1)]
        return cls(process, outputs, watch)

    async def wait(self) -> int:
        """Its exit code, -N where signal N ended it, after the last of its output."""
        code = await self._process.wait()
        for output in self._outputs:
            output.finish()
        self._guardian.release(self.pid)
        return code

    def send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def send_to_group(self, number: signal.Signals) -> None:
        """Its children too, as Ctrl-C in a terminal would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


class _Output:
    """Reads one output of a process as it comes."""

    def __init__(self, number: int, descriptor: int, on_output: OnOutput) -> None:
        self._number = number
        self._descriptor = descriptor
        self._on_output = on_output
        os.set_blocking(descriptor, False)
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def finish(self) -> None:
        """Read what is there now. There may never be an end: its children may hold it open."""
        for _ in range(_MOST):
            if not self._read():
                break
        self._close()

    def _read(self) -> bool:
        if not self._open:
            return False
        try:
            data = os.read(self._descriptor, _READ)
        except BlockingIOError:
            return False
        except OSError:  # how a terminal says that its other end is closed
            data = b""
        if data:
            self._on_output(self._number, data)
        else:
            self._close()
        return bool(data)

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

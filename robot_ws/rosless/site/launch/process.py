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

OnOutput = Callable[[int, bytes], None]  # 1 or 2, and what was written there; nothing at its end


class Guardian:
    """Launch's end of `guardian.py`."""

    async def start(self) -> None:
        script = [sys.executable, "-IS", guardian.__file__]
        self._process = await asyncio.create_subprocess_exec(
            *script, stdin=PIPE, start_new_session=True
        )

    def tell(self, group: int) -> None:
        """N: it is there; -N: its first process has ended, and what that left ends with launch."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{group}\n".encode())

    async def close(self) -> None:
        """Returns once nothing is left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class Process:
    def __init__(
        self, process: asyncio.subprocess.Process, outputs: Sequence[_Output], watch: Guardian
    ) -> None:
        self._process, self._outputs, self._guardian = process, outputs, watch
        self.pid = process.pid
        watch.tell(self.pid)

    @classmethod
    async def start(
        cls,
        cmd: Sequence[str],
        cwd: str | None,
        env: dict[str, str],
        on_output: OnOutput,
        watch: Guardian,
        *,
        emulate_tty: bool = False,
    ) -> Process:
        """OSError where it cannot be."""
        pairs = [pty.openpty() if emulate_tty else os.pipe() for _ in range(2)]
        out, err = (pair[1] for pair in pairs)
        try:
            process = await asyncio.create_subprocess_exec(
                *cmd, cwd=cwd, env=env, stdin=PIPE, stdout=out, stderr=err, start_new_session=True
            )
        except BaseException:
            for ours, _ in pairs:
                os.close(ours)
            raise
        finally:
            for end in (out, err):
                os.close(end)
        outputs = [_Output(number, pair[0], on_output) for number, pair in enumerate(pairs, 1)]
        return cls(process, outputs, watch)

    async def wait(self) -> int:
        """Its exit code, -N where signal N ended it, after the last of its output."""
        code = await self._process.wait()
        for output in self._outputs:
            output.finish()
        self._guardian.tell(-self.pid)
        return code

    def send(self, number: signal.Signals) -> None:
        """To its children too, as Ctrl-C in a terminal would."""
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(self.pid, number)


class _Output:
    """Reads one output of a process as it comes."""

    def __init__(self, number: int, descriptor: int, on_output: OnOutput) -> None:
        self._number, self._descriptor, self._on_output = number, descriptor, on_output
        self._open = True
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
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
            self._on_output(self._number, b"")

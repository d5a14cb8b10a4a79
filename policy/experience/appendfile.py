"""A file that only grows, by whole steps."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .errors import storage_error


class AppendFile:
    """The unbuffered, exclusively locked file that MCAP writes into.

    Unbuffered so that an error belongs to the step that met it, and so that the file can be cut
    back to its last whole step: after a full disk the file is still a good one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:
            raise storage_error("create", path, error) from error
        # The lock tells a live writer from one that crashed; the kernel drops it with the process.
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = self._kept = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._fd, view)
            except OSError as error:
                self._cut()
                raise storage_error("append to", self.path, error) from error
            view = view[written:]
            self._size += written
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back here; MCAP calls it all the same."""

    def keep(self, sync: bool) -> None:
        """All written so far is a whole step: never cut back behind this point."""
        if sync:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._cut()
                raise storage_error("flush", self.path, error) from error
        self._kept = self._size

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self._fd)

    def _cut(self) -> None:
        """After a failed write: drop the torn tail. What follows would not join on to it."""
        os.ftruncate(self._fd, self._kept)
        os.fsync(self._fd)
        self.close()

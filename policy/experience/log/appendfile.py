"""A file that only grows, by whole steps."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from policy.contract.files import sync_directory

from ..errors import BusyError, StorageError, storage_error


class AppendFile:
    """The unbuffered, exclusively locked file that MCAP writes into.

    Unbuffered so that an error belongs to the step that met it, and so that the file can be cut
    back to its last whole step: after a full disk the file is still a good one. The lock tells a
    live writer from one that crashed; the kernel drops it with the process (and with the processes
    it forked: start workers by spawn).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        self._size = self._kept = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = self._born()
            sync_directory(path.parent)
        except FileExistsError:
            raise BusyError(
                f"{path}: found it there already, wanted a new name; give a new episode_id, or "
                "repair what a crash left"
            ) from None
        except OSError as error:
            raise storage_error("create", path, error) from error

    def _born(self) -> int:
        """Create and lock. Between the two, `repair` may take the newborn for dead and put it
        away; then another is made."""
        while True:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if self.path.exists() and os.path.samestat(os.fstat(fd), self.path.stat()):
                return fd
            os.close(fd)

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._fd, view)
            except OSError as error:
                raise self._failed("append to", error) from error
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
                raise self._failed("flush", error) from error
        self._kept = self._size

    def rename(self, target: Path) -> None:
        """The file is complete: give it its final name."""
        try:
            os.rename(self.path, target)
            sync_directory(target.parent)
        except OSError as error:
            raise storage_error("rename into place", target, error) from error
        finally:
            self.close()  # and only now the lock: until then it is no one else's to repair

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self._fd)

    def _failed(self, action: str, error: OSError) -> StorageError:
        """Drop the torn tail and close: what would follow could not join on to it."""
        with suppress(OSError):  # a device that fails now leaves a torn tail, which repair knows
            os.ftruncate(self._fd, self._kept)
            os.fsync(self._fd)
        self.close()
        return storage_error(action, self.path, error)

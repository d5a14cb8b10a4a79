"""The files of a replay ring: their layout, their lock, and how they are written."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Interface, Invalid, Strict, decode_json
from policy.contract.files import sync_directory

from ..errors import BusyError, DamagedError, ForeignError, storage_error

FORMAT = 2
HEAD = np.dtype("<i8")
EPISODE = np.dtype(
    [
        ("start", "<i8"),  # sequence number of the first frame
        ("length", "<i4"),  # actions; frames are one more
        ("terminated", "u1"),
        ("success", "i1"),  # 1, 0, or -1 where nobody judged
        ("id", "S34"),
    ]
)


def label_of(success: bool | None) -> int:
    return -1 if success is None else int(success)


def row_dtype(interface: Interface) -> np.dtype[Any]:
    return np.dtype(
        [
            ("proprio", "<f4", (len(interface.observation.proprio),)),
            ("action", "<f4", (len(interface.action),)),
            ("reward", "<f4"),
            ("driver", "u1"),
        ]
    )


@dataclass(frozen=True)
class Meta(Strict):
    format: int
    capacity: int
    interface: Interface

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise Invalid(
                "format", self.format, str(FORMAT), "delete it and refill it from the log"
            )
        if self.capacity < 2:
            raise Invalid("capacity", self.capacity, "2 frames or more", "enlarge it")


def made(file: Path, size: int) -> int:
    """Open for writing; a new file is made `size` bytes long, without taking up any."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        if os.fstat(descriptor).st_size == 0:
            os.ftruncate(descriptor, size)
    except OSError as error:
        raise storage_error("open", file, error) from error
    return descriptor


def mapped(file: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The file's content, which must be of exactly this size."""
    size = dtype.itemsize * int(np.prod(shape))
    try:
        found = file.stat().st_size
        if found == size:
            return np.asarray(np.memmap(file, dtype, "r", shape=shape))
    except OSError as error:
        raise storage_error("open", file, error) from error
    raise DamagedError(f"{file}: found {found} bytes, wanted {size}; refill it from the log")


def write_all(file: int, values: npt.NDArray[Any], offset: int) -> None:
    view = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def read_meta(path: Path) -> Meta:
    file = path / "meta.json"
    if not file.exists():
        raise ForeignError(
            f"{path}: found no meta.json, wanted a replay; create one or correct the path"
        )
    return decode_json(Meta, file.read_text(), str(file))


class WriterLock:
    """Held by the one writer; says who it is, and on which boot of the machine it wrote."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise storage_error("lock", path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            said = f"{os.getpid()} {_boot_id()}".encode()
            os.pwrite(self._file, said, 0)
            os.ftruncate(self._file, len(said))
            os.fsync(self._file)  # before any frame: after a power cut it must be there
            sync_directory(path)
        except BlockingIOError:
            holder = os.pread(self._file, 100, 0).decode().split() or ["unknown"]
            os.close(self._file)
            raise BusyError(
                f"{path}: found another writer (process {holder[0]}), wanted to be the only one; "
                "stop it, or open the replay for reading"
            ) from None
        except OSError as error:
            os.close(self._file)
            raise storage_error("lock", path, error) from error

    def release(self) -> None:
        """A clean end: everything was flushed."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def check_shutdown(path: Path) -> None:
    """A killed process leaves all it wrote with the kernel; a machine that went down does not."""
    lock = path / "lock"
    said = lock.read_text().split() if lock.exists() else []
    if len(said) == 2 and said[1] != _boot_id():
        raise DamagedError(
            f"{path}: the machine went down while process {said[0]} was writing here, so frames "
            "may be missing; delete the directory and refill it from the log"
        )


def _boot_id() -> str:
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text().strip() if file.exists() else "unknown"

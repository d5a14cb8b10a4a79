"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

# What a learner leaves in its directory, for whoever looks after it: measurements, and models.
METRICS, OFFERS = "metrics.jsonl", "*.onnx"


def write_atomic(path: Path, data: bytes) -> None:
    """Write beside `path`, flush to the disk, then rename into place.

    A reader sees the old file or the new one; a crash or a full disk leaves the old one.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    sync_directory(path.parent)


def newest(directory: Path, pattern: str) -> Path | None:
    """The one that was given its name last."""
    found = [(path.stat().st_mtime_ns, path.name) for path in directory.glob(pattern)]
    return directory / max(found)[1] if found else None


def sweep(directory: Path) -> None:
    """Remove what a killed `write_atomic` left, in a directory where nobody else writes now."""
    for left in directory.glob(".*.tmp"):
        left.unlink()


def link_or_copy(path: Path, target: Path) -> None:
    """Give a file that will not change any more a second name; across file systems, a copy that
    appears whole."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        shutil.copy2(path, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

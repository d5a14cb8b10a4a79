"""An MCAP file of the log while it is being written: named `.part` until it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from ..errors import BusyError, ExperienceError
from . import messages
from .appendfile import AppendFile

PART = ".mcap.part"
DONE = ".mcap"
# Directories of a log: what was judged after an episode's file was closed, and upon which pictures.
VERDICTS, JUDGED = "verdicts", "judged"

Compression = Literal["zstd", "lz4", "none"]
COMPRESSION = {
    "zstd": CompressionType.ZSTD,
    "lz4": CompressionType.LZ4,
    "none": CompressionType.NONE,
}


class LogFile:
    """`write` gathers messages, `commit` makes one checksummed chunk of them, `finish` completes
    the file and gives it its name."""

    def __init__(self, directory: Path, name: str, compression: Compression = "zstd") -> None:
        self.path = directory / (name + DONE)
        if self.path.exists():
            raise BusyError(f"{self.path}: it exists already; give each episode a new episode_id")
        self.part = AppendFile(directory / (name + PART))
        self._mcap = McapWriter(
            self.part,  # type: ignore[arg-type]
            chunk_size=1 << 40,  # chunks end where we commit, only there
            compression=COMPRESSION[compression],
            enable_data_crcs=True,  # beside each chunk's: covers what lies between the chunks
        )
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._mcap.start(profile="ros2", library="regrasp")

    def write(self, topic: str, kind: str, message: Any, now_ns: int) -> None:
        if self.part.closed:
            raise ExperienceError(f"{self.path.name}: written to after it ended or failed")
        data = messages.serialize(kind, message)
        if kind not in self._schemas:
            text = messages.schema_text(kind).encode()
            self._schemas[kind] = self._mcap.register_schema(kind, "ros2msg", text)
        if topic not in self._channels:
            self._channels[topic] = self._mcap.register_channel(topic, "cdr", self._schemas[kind])
        self._mcap.add_message(self._channels[topic], now_ns, data, now_ns)

    def commit(self, sync: bool) -> None:
        self._mcap.flush()
        self.part.keep(sync)

    def finish(self) -> Path:
        self._mcap.finish()
        self.part.keep(sync=True)
        self.part.rename(self.path)
        return self.path


def require_log(directory: Path) -> None:
    if not directory.is_dir():
        raise ExperienceError(f"{directory}: found no such directory, wanted a log; record one")


def files_of(
    directory: Path, beside: Sequence[str] = (VERDICTS,)
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The finished files of a log and of the directories `beside`: each one's name below
    `directory`, and its size and time of change, which tell whether it is still the same."""
    require_log(directory)
    for prefix in ("", *(f"{name}/" for name in beside)):
        if not (folder := directory / prefix).is_dir():
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(DONE) and entry.is_file():
                    try:
                        status = entry.stat()
                    except FileNotFoundError:  # gone since the directory was listed
                        continue
                    yield prefix + entry.name, (status.st_size, status.st_mtime_ns)

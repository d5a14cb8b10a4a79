"""Verdicts that come after an episode's file is closed: a person's label, a better detector.

They go into files of their own beside the episodes, so that an episode's file never changes and
the old verdicts stay.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from mcap.writer import Writer as McapWriter

from policy.contract.files import sync_directory

from . import messages, wire
from .appendfile import AppendFile
from .episode import Verdict, new_episode_id
from .errors import storage_error
from .writer import DONE, PART

SUBDIRECTORY = "verdicts"


class VerdictWriter:
    """with VerdictWriter(directory) as labels: labels.add(episode_id, verdict)

    Each verdict is on the disk when `add` returns; leaving the block gives the file its name, by
    which the index finds it.
    """

    def __init__(self, directory: Path) -> None:
        name = new_episode_id()
        self.path = directory / SUBDIRECTORY / (name + DONE)
        self._file = AppendFile(self.path.with_name(name + PART))
        self._mcap = McapWriter(
            self._file,  # type: ignore[arg-type]
            chunk_size=1 << 40,
            enable_data_crcs=True,
        )
        self._mcap.start(profile="ros2", library="regrasp")
        text = messages.schema_text(messages.VERDICT).encode()
        schema = self._mcap.register_schema(messages.VERDICT, "ros2msg", text)
        self._channel = self._mcap.register_channel("/episode/verdict", "cdr", schema)

    def add(self, episode_id: str, verdict: Verdict) -> None:
        data = messages.serialize(messages.VERDICT, wire.verdict_message(episode_id, verdict))
        self._mcap.add_message(self._channel, verdict.stamp_ns, data, verdict.stamp_ns)
        self._mcap.flush()
        self._file.keep(sync=True)

    def __enter__(self) -> VerdictWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever ended the block, the verdicts given so far count."""
        if self._file.closed:
            return
        self._mcap.finish()
        self._file.keep(sync=True)
        self._file.close()
        try:
            os.rename(self._file.path, self.path)
            sync_directory(self.path.parent)
        except OSError as failure:
            raise storage_error("rename into place", self.path, failure) from failure

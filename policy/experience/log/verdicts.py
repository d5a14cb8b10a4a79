"""Verdicts that come after an episode's file is closed: a person's label, a better detector.

They go into files of their own beside the episodes, so that an episode's file never changes and
the old verdicts stay.
"""

from __future__ import annotations

from pathlib import Path

from ..episode import Verdict, new_episode_id
from . import messages, wire
from .logfile import VERDICTS, LogFile


class VerdictWriter:
    """with VerdictWriter(directory) as labels: labels.add(episode_id, verdict)

    Each verdict is on the disk when `add` returns; leaving the block gives the file its name, by
    which the index finds it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / VERDICTS
        self._file: LogFile | None = None

    @property
    def path(self) -> Path | None:
        """Where the verdicts will be; None as long as there is none."""
        return None if self._file is None else self._file.path

    def add(self, episode_id: str, verdict: Verdict) -> None:
        if self._file is None:
            self._file = LogFile(self._directory, new_episode_id())
        message = wire.verdict_message(episode_id, verdict)
        self._file.write("/episode/verdict", messages.VERDICT, message, verdict.stamp_ns)
        self._file.commit(sync=True)

    def __enter__(self) -> VerdictWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever ended the block, the verdicts given so far count."""
        if self._file is not None and not self._file.part.closed:
            self._file.finish()

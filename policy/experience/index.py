"""A directory of episodes as a table that opens at once.

The table is a cache in `index.sqlite`: only files that are new or changed are looked into, and it
may be deleted at any time. Where the directory is read-only it lives in memory.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import reader
from .episode import Verdict, success
from .errors import ExperienceError
from .verdicts import SUBDIRECTORY
from .writer import DONE

FILE = "index.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS files (file TEXT PRIMARY KEY, size INT, mtime_ns INT, problem TEXT);
CREATE TABLE IF NOT EXISTS episodes (
    file TEXT PRIMARY KEY, episode_id TEXT, stamp_ns INT, source TEXT, task TEXT, cell_id TEXT,
    policy_version TEXT, seed INT, steps INT, human_steps INT, episode_return REAL,
    terminated INT, recovered INT);
CREATE TABLE IF NOT EXISTS verdicts (
    file TEXT, episode_id TEXT, stamp_ns INT, detector TEXT, gate TEXT, abstained INT,
    success INT, confidence REAL, reason TEXT);
CREATE INDEX IF NOT EXISTS verdicts_file ON verdicts (file);
"""
_COLUMNS = (
    "file, episode_id, stamp_ns, source, task, cell_id, policy_version, seed, steps, human_steps, "
    "episode_return, terminated, recovered"
)


@dataclass(frozen=True)
class Entry:
    """One episode's row."""

    path: Path
    episode_id: str
    stamp_ns: int
    source: str
    task: str
    cell_id: str
    policy_version: str
    seed: int
    steps: int
    human_steps: int
    episode_return: float
    terminated: bool
    recovered: bool
    verdicts: tuple[Verdict, ...]

    @property
    def success(self) -> bool | None:
        return success(self.verdicts)


class Index:
    """The episodes of one directory, oldest first; `refresh` takes in what has come since."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise ExperienceError(f"{directory}: found no such directory, wanted a log; record one")
        self.directory = directory
        self._database = _open(directory)
        self.refresh()

    def refresh(self) -> int:
        """Look into new and changed files; returns how many there were."""
        present = dict(_files(self.directory))
        with self._database as base:
            rows = base.execute("SELECT file, size, mtime_ns FROM files")
            known = {file: (size, mtime) for file, size, mtime in rows}
            gone = [file for file in known if present.get(file) != known[file]]
            for table in ("files", "episodes", "verdicts"):
                base.executemany(f"DELETE FROM {table} WHERE file = ?", [(f,) for f in gone])
            new = [file for file in present if present[file] != known.get(file)]
            for file in new:
                problem = self._take(file)
                self._insert("files", file, *present[file], problem)
        return len(new)

    def __iter__(self) -> Iterator[Entry]:
        verdicts: dict[str, list[Verdict]] = {}
        query = (
            "SELECT episode_id, detector, success, confidence, abstained, gate, reason, stamp_ns "
            "FROM verdicts"
        )
        rows = self._database.execute(query)
        for episode_id, detector, good, confidence, abstained, *rest in rows:
            verdict = Verdict(detector, bool(good), confidence, bool(abstained), *rest)
            verdicts.setdefault(episode_id, []).append(verdict)
        query = f"SELECT {_COLUMNS} FROM episodes ORDER BY stamp_ns, file"
        for file, episode_id, *columns in self._database.execute(query):
            columns[-2:] = map(bool, columns[-2:])  # SQLite has none
            columns.append(tuple(verdicts.get(episode_id, ())))
            yield Entry(self.directory / file, episode_id, *columns)

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM episodes").fetchone()[0])

    @property
    def problems(self) -> list[str]:
        """What kept a file out of the table, in full sentences."""
        query = "SELECT problem FROM files WHERE problem IS NOT NULL ORDER BY file"
        return [row[0] for row in self._database.execute(query)]

    def close(self) -> None:
        self._database.close()

    def _take(self, file: str) -> str | None:
        """Put one file's rows into the table; the problem that prevented it, if any."""
        try:
            summary = reader.read_summary(self.directory / file)
        except (ExperienceError, ValueError) as error:
            return str(error)
        info, end = summary.info, summary.end
        if info is not None:
            if end is None:
                return f"{self.directory / file}: found no /episode/end, wanted one; repair it"
            self._insert(
                "episodes",
                *(file, info.episode_id, info.stamp_ns, info.source, info.task, info.cell_id),
                *(end.policy_version, info.seed, end.steps, end.human_steps),
                *(end.episode_return, end.terminated, end.recovered),
            )
        for episode_id, v in summary.verdicts:
            self._insert(
                "verdicts",
                *(file, episode_id, v.stamp_ns, v.detector, v.gate, v.abstained, v.success),
                *(v.confidence, v.reason),
            )
        return None

    def _insert(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT INTO {table} VALUES ({marks})", values)


@contextmanager
def open_index(directory: Path) -> Iterator[Index]:
    index = Index(directory)
    try:
        yield index
    finally:
        index.close()


def _open(directory: Path) -> sqlite3.Connection:
    writable = os.access(directory, os.W_OK)
    base = sqlite3.connect(directory / FILE if writable else ":memory:", timeout=60)
    try:
        base.executescript(_TABLES)
    except sqlite3.DatabaseError as error:
        base.close()
        raise ExperienceError(
            f"{directory / FILE}: found {error}, wanted our index; delete the file, it is a cache"
        ) from error
    return base


def _files(directory: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Finished files below `directory` by name, with what tells whether they changed."""
    for folder, prefix in ((directory, ""), (directory / SUBDIRECTORY, f"{SUBDIRECTORY}/")):
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(DONE) and entry.is_file():
                    status = entry.stat()
                    yield prefix + entry.name, (status.st_size, status.st_mtime_ns)

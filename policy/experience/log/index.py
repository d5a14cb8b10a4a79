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
from typing import Any

from ..episode import Verdict, success
from ..errors import BusyError, ExperienceError
from . import reader
from .logfile import files_of, require_log

FILE = "index.sqlite"
VERSION = 1  # of what follows, and of how files are read: another one starts afresh
_TABLES = (
    "CREATE TABLE files (file TEXT PRIMARY KEY, size INT, mtime_ns INT, problem TEXT)",
    "CREATE TABLE episodes (file TEXT PRIMARY KEY, episode_id TEXT, stamp_ns INT, source TEXT, "
    "task TEXT, cell_id TEXT, policy_version TEXT, seed INT, steps INT, human_steps INT, "
    "episode_return REAL, terminated INT, recovered INT)",
    "CREATE TABLE verdicts (file TEXT, episode_id TEXT, stamp_ns INT, detector TEXT, gate TEXT, "
    "abstained INT, success INT, confidence REAL, reason TEXT)",
    "CREATE INDEX verdicts_file ON verdicts (file)",
)
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
        require_log(directory)
        self.directory = directory
        self._database = _open(directory)
        try:
            self.refresh()
        except sqlite3.DatabaseError as error:
            self.close()
            raise _broken(directory / FILE, error) from error
        except BaseException:
            self.close()
            raise

    def refresh(self) -> int:
        """Look into new and changed files; returns how many there were."""
        # In this order: what another process adds in between is new to us, not gone.
        rows = self._query("SELECT file, size, mtime_ns FROM files")
        known = {file: (size, mtime) for file, size, mtime in rows}
        present = dict(files_of(self.directory))
        gone = [file for file in known if present.get(file) != known[file]]
        # Read before the database is locked: other processes refresh at the same time.
        found = {f: self._read(f) for f, is_now in present.items() if is_now != known.get(f)}
        if not gone and not found:
            return 0
        try:
            self._store(gone, {f: (present[f], summary) for f, summary in found.items() if summary})
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BusyError(
                    f"{self.directory / FILE}: another process keeps it locked; wait, or stop it"
                ) from error
            # No room or no permission: the index is a cache, and memory will do.
            self._database.close()
            self._database = _connect(":memory:")
            return self.refresh()
        return len(found)

    def __iter__(self) -> Iterator[Entry]:
        verdicts: dict[str, list[Verdict]] = {}
        rows = self._query(
            "SELECT episode_id, detector, success, confidence, abstained, gate, reason, stamp_ns "
            "FROM verdicts"
        )
        for episode_id, detector, good, confidence, abstained, *rest in rows:
            verdict = Verdict(detector, bool(good), confidence, bool(abstained), *rest)
            verdicts.setdefault(episode_id, []).append(verdict)
        query = f"SELECT {_COLUMNS} FROM episodes ORDER BY stamp_ns, file"
        for file, episode_id, *columns in self._query(query):
            columns[-2:] = map(bool, columns[-2:])  # SQLite has none
            columns.append(tuple(verdicts.get(episode_id, ())))
            yield Entry(self.directory / file, episode_id, *columns)

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM episodes")[0][0])

    @property
    def problems(self) -> list[str]:
        """What kept a file out of the table, in full sentences."""
        query = "SELECT problem FROM files WHERE problem IS NOT NULL ORDER BY file"
        return [row[0] for row in self._query(query)]

    def close(self) -> None:
        self._database.close()

    def _query(self, text: str) -> list[tuple[Any, ...]]:
        """All rows at once: a cursor left open would keep other processes from writing."""
        return self._database.execute(text).fetchall()

    def _read(self, file: str) -> reader.Summary | str | None:
        """A file's summary, or the problem with it; None if it has gone meanwhile."""
        path = self.directory / file
        try:
            summary = reader.read_summary(path)
        except FileNotFoundError:
            return None
        except ExperienceError as error:
            return str(error)
        except OSError as error:
            return f"{path}: cannot be read ({error.strerror}); make it readable, or remove it"
        if summary.info is not None and summary.end is None:
            return f"{path}: found no /episode/end, wanted one; repair it"
        return summary

    def _store(
        self, gone: list[str], found: dict[str, tuple[tuple[int, int], reader.Summary | str]]
    ) -> None:
        with self._database as base:
            base.execute("BEGIN IMMEDIATE")
            for table in ("files", "episodes", "verdicts"):
                names = [(file,) for file in {*gone, *found}]  # another process may have been here
                base.executemany(f"DELETE FROM {table} WHERE file = ?", names)
            for file, (status, summary) in found.items():
                problem = summary if isinstance(summary, str) else None
                self._insert("files", file, *status, problem)
                if isinstance(summary, reader.Summary):
                    self._insert_summary(file, summary)

    def _insert_summary(self, file: str, summary: reader.Summary) -> None:
        info, end = summary.info, summary.end
        if info is not None:
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
    """The directory's index, or one in memory where there can be none."""
    file = directory / FILE
    try:
        return _connect(str(file) if os.access(directory, os.W_OK) else ":memory:")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BusyError(f"{file}: another process keeps it locked; wait, or stop it") from error
        return _connect(":memory:")
    except sqlite3.DatabaseError as error:
        raise _broken(file, error) from error


def _broken(file: Path, error: sqlite3.DatabaseError) -> ExperienceError:
    return ExperienceError(
        f"{file}: found {error}, wanted our index; delete the file, it is a cache"
    )


def _connect(name: str) -> sqlite3.Connection:
    base = sqlite3.connect(name, timeout=60)
    try:
        if base.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            with base:
                base.execute("BEGIN IMMEDIATE")
                if base.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                    return base  # another process came first
                for table in ("files", "episodes", "verdicts"):
                    base.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in _TABLES:
                    base.execute(statement)
                base.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        base.close()
        raise
    return base

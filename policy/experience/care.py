"""Look after a log: verify, repair, merge, and bring it into a replay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .errors import BusyError, DamagedError, ExperienceError, ForeignError
from .index import Index
from .reader import read_episode, read_summary, scan
from .repair import repair, unfinished
from .ring import Ring
from .ringfiles import label_of
from .verdicts import SUBDIRECTORY
from .writer import DONE


def verify(directory: Path) -> Iterator[tuple[Path, Exception | None]]:
    """Read every finished file in full, checksums and all."""
    for path in finished(directory):
        try:
            if path.parent.name == SUBDIRECTORY:
                for _ in scan(path):
                    pass
            else:
                read_episode(path)
        except (ExperienceError, ValueError) as error:
            yield path, error
        else:
            yield path, None


def repair_all(directory: Path) -> Iterator[tuple[Path, Path | None]]:
    """Finish what crashed writers left and rewrite what is damaged; (old, new or None)."""
    damaged = [path for path, error in verify(directory) if isinstance(error, DamagedError)]
    for path in [*unfinished(directory), *damaged]:
        yield path, repair(path)


def merge(sources: list[Path], into: Path) -> int:
    """Bring the finished files of several logs together; returns how many were new. Files never
    change once finished, so within one file system a link is a copy."""
    into.mkdir(parents=True, exist_ok=True)
    count = 0
    wanted = None
    for source in sources:
        for path in finished(source):
            info = read_summary(path).info
            if info is not None:
                wanted = wanted or info.interface
                if info.interface != wanted:
                    raise ForeignError(
                        f"{path}: interface: found {info.interface}, wanted {wanted} as in the "
                        "episodes before it; merge only logs of one interface"
                    )
            target = into / path.relative_to(source)
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                _copy(path, target)
                count += 1
            elif target.stat().st_size != path.stat().st_size:
                raise BusyError(
                    f"{target}: found another file of this name, wanted the same as {path}; "
                    "find out which is right (`verify` both) and remove the other"
                )
    return count


def fill(ring: Ring, index: Index) -> int:
    """Add to the ring what the log has and the ring has not had, and bring the labels of what it
    holds up to date; returns how many episodes were added.

    What the ring evicted is not fetched back: episodes older than the oldest one held are skipped.
    """
    first, table = ring.episodes()
    held = {row["id"].decode(): (first + k, row["success"]) for k, row in enumerate(table)}
    entries = list(index)
    stamps = [entry.stamp_ns for entry in entries if entry.episode_id in held]
    oldest = min(stamps, default=0) if ring.evicted else 0
    count = 0
    for entry in entries:
        if entry.episode_id in held:
            ordinal, label = held[entry.episode_id]
            if label != label_of(entry.success) and ordinal >= ring.evicted:
                ring.label(ordinal, entry.success)
        elif entry.stamp_ns >= oldest:
            episode = replace(read_episode(entry.path), verdicts=entry.verdicts)
            count += ring.add(episode) > 0
    return count


def finished(directory: Path) -> list[Path]:
    """Every finished file of a log, verdicts included."""
    if not directory.is_dir():
        raise ExperienceError(f"{directory}: found no such directory, wanted a log; record one")
    return sorted([*directory.glob(f"*{DONE}"), *directory.glob(f"{SUBDIRECTORY}/*{DONE}")])


def _copy(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another file system
        partial = target.with_name(target.name + ".copy")
        shutil.copy2(path, partial)
        os.replace(partial, target)

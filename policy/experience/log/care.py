"""Look after a log: verify, repair, merge."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from pathlib import Path

from policy.contract import ContractError, Interface, differences
from policy.contract.files import link_or_copy

from ..errors import BusyError, DamagedError, ExperienceError
from .logfile import JUDGED, VERDICTS, files_of
from .reader import check_beside, read_episode, read_summary
from .repair import recover_workshop, repair, unfinished


def finished(directory: Path) -> list[Path]:
    """Every finished file of a log, verdicts and what they were given upon included."""
    return sorted(directory / name for name, _ in files_of(directory, (VERDICTS, JUDGED)))


def verify(directory: Path) -> Iterator[tuple[Path, Exception | None]]:
    """Read every finished file in full, checksums and all; what was wrong with it, if anything."""
    for path in finished(directory):
        try:
            if path.parent != directory:
                check_beside(path, path.parent.name)
            else:
                read_summary(path)  # the index at its end, which no step needs
                read_episode(path)
        except (ExperienceError, OSError) as error:
            yield path, error
        else:
            yield path, None


def repair_all(directory: Path) -> Iterator[tuple[Path, Path | None, Exception | None]]:
    """Finish what crashed writers left and rewrite what is damaged: the old file, the new one if a
    step of it was whole, and what kept it from being repaired, if anything did."""
    recover_workshop(directory)
    damaged = [path for path, error in verify(directory) if isinstance(error, DamagedError)]
    for path in [*unfinished(directory), *damaged]:
        try:
            yield path, repair(path), None
        except (ExperienceError, OSError) as error:
            yield path, None, error


def merge(sources: list[Path], into: Path) -> tuple[int, list[Exception]]:
    """Bring the finished files of several logs together; returns how many were new, and what was
    left out and why. Files never change once finished, so within one file system a link is a
    copy."""
    into.mkdir(parents=True, exist_ok=True)
    wanted: Interface | None = None
    count = 0
    problems: list[Exception] = []
    for source in [into, *sources]:  # what is there already must agree, too
        for path in finished(source):
            try:
                info = read_summary(path).info if path.parent == source else None
                wanted = _agreed(path, info.interface, wanted) if info else wanted
                count += source != into and _copy(path, into / path.relative_to(source))
            except (ExperienceError, ContractError, OSError) as error:
                problems.append(error)
    return count, problems


def _agreed(path: Path, found: Interface, wanted: Interface | None) -> Interface:
    remedy = "merge only logs of one interface"
    if wanted is not None and (differing := differences(found, wanted, remedy)):
        raise ContractError(str(path), differing)
    return found


def _copy(path: Path, target: Path) -> bool:
    """Link or copy; False if it is there already."""
    if target.exists():
        if filecmp.cmp(path, target, shallow=False):
            return False
        raise BusyError(
            f"{target}: found another file of this name, wanted the same as {path}; "
            "find out which is right (`verify` both) and remove the other"
        )
    target.parent.mkdir(exist_ok=True)
    link_or_copy(path, target)
    return True

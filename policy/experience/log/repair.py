"""Finish what a crash left: every complete step is kept, nothing is thrown away."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from policy.contract.files import link_or_copy

from ..episode import Action, Driver, Episode, Observation
from ..errors import BusyError, DamagedError
from .logfile import DONE, JUDGED, PART, VERDICTS
from .reader import read_episode, read_summary, scan
from .verdicts import VerdictWriter
from .wire import verdict_of
from .writer import EpisodeWriter

WORKSHOP = ".repair"


def unfinished(directory: Path) -> list[Path]:
    """Episodes, and files of verdicts, that nobody is writing any more."""
    parts = [*directory.glob(f"*{PART}"), *directory.glob(f"{VERDICTS}/*{PART}")]
    return [path for path in sorted(parts) if _abandoned(path)]


def repair(path: Path) -> Path | None:
    """Rewrite a torn or damaged episode up to its last step that is whole (verdicts: all of them;
    judged pictures are set aside).

    Returns the finished file, or None where not one step was complete: then the torn file is set
    aside as `.empty`. The original of a damaged finished file is kept as `.damaged`. Killed half
    way, it may be called again.
    """
    torn = path.name.endswith(PART)
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
        except BlockingIOError:
            mine = False
        if not mine:
            raise BusyError(f"{path}: another process is writing this file, or repairing it; wait")
        if path.parent.name == VERDICTS:
            return _repair_verdicts(path, torn)
        if path.parent.name == JUDGED:  # a pair of pictures is whole or worth nothing
            path.rename(_aside(path, "damaged"))
            return None
        with workshop_of(path.parent) as workshop:
            return _repair_episode(path, torn, workshop)


def recover_workshop(directory: Path) -> None:
    """Put in place what a killed repair had finished."""
    if (directory / WORKSHOP).is_dir():
        with workshop_of(directory):
            pass


def _repair_episode(path: Path, torn: bool, workshop: Path) -> Path | None:
    finished = path.with_name(path.name.removesuffix(PART).removesuffix(DONE) + DONE)
    if torn and finished.exists():  # an earlier repair was killed before its last line
        path.unlink()
        return finished
    if torn and _whole(path):  # the writer was killed before it could rename
        path.rename(finished)
        return finished
    if not torn and _whole(path):  # another repair came first
        return path
    try:
        episode = read_episode(path, tolerant=True)
    except DamagedError:
        path.rename(_aside(path, "empty"))
        return None
    rewritten = _rewrite(episode, workshop)
    if not torn:  # a second name, so that the first is there at every moment
        link_or_copy(path, _aside(path, "damaged"))
    os.replace(rewritten, finished)
    if torn:
        path.unlink()
    return finished


def _repair_verdicts(path: Path, torn: bool) -> Path | None:
    """Give the verdicts that are whole again, in a new file. Twice the same does no harm."""
    whole = [(m.episode_id, verdict_of(m)) for _, m in scan(path, tolerant=True)]
    with VerdictWriter(path.parent.parent) as verdicts:
        for episode_id, verdict in whole:
            verdicts.add(episode_id, verdict)
    if torn and whole:
        path.unlink()
    else:
        path.rename(_aside(path, "damaged" if whole else "empty"))
    return verdicts.path


@contextmanager
def workshop_of(directory: Path) -> Iterator[Path]:
    """A place to write whole episodes in, one at a time; what was finished there by somebody who
    was killed is put in its place, and what was not is gone."""
    workshop = directory / WORKSHOP
    workshop.mkdir(exist_ok=True)
    handle = os.open(workshop, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in workshop.iterdir():
            if left.name.endswith(DONE) and not (directory / left.name).exists():
                os.replace(left, directory / left.name)
            else:
                left.unlink()
        yield workshop
    finally:
        os.close(handle)


def _rewrite(episode: Episode, workshop: Path) -> Path:
    with EpisodeWriter(workshop, episode.info, sync="episode") as writer:
        copy_steps(episode, writer)
        for verdict in episode.verdicts:
            writer.verdict(verdict)
        return writer.close(recovered=True)


def _whole(path: Path) -> bool:
    try:
        read_episode(path)
        if path.name.endswith(DONE):
            read_summary(path)
    except DamagedError:
        return False
    return True


def _aside(path: Path, why: str) -> Path:
    """A free name beside `path`."""
    names = (f"{path.name}.{why}{number or ''}" for number in itertools.count())
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def copy_steps(episode: Episode, writer: EpisodeWriter) -> None:
    """Feed a read episode to a writer, step by step."""
    observations = [
        Observation(
            {camera: frames[k] for camera, frames in episode.images.items()},
            episode.proprio[k],
            int(episode.capture_ns[k]),
        )
        for k in range(len(episode) + 1)
    ]
    writer.reset(observations[0])
    for k in range(1, len(episode) + 1):
        last = k == len(episode)
        wanted = {"policy": episode.policy[k], "human": episode.human[k]}
        action = Action(
            executed=episode.executed[k],
            driver=Driver(int(episode.driver[k])),
            q=float(episode.q[k]),
            policy_version=episode.policy_version[k],
            observation_age=float(episode.observation_age[k]),
            stamp_ns=int(episode.execution_ns[k]),
            reward=float(episode.reward[k]),
            terminated=last and episode.terminated,
            truncated=last and episode.truncated,
            **{who: None if (a != a).all() else a for who, a in wanted.items()},
        )
        writer.step(action, observations[k])


def _abandoned(path: Path) -> bool:
    """A live writer holds the lock; a dead one's was dropped by the kernel."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):  # at work, or just finished
        return False
    return True

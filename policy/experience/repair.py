"""Finish what a crash left: every complete step is kept, nothing is thrown away."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .episode import Action, Driver, Episode, Observation
from .errors import BusyError, DamagedError
from .reader import read_episode, scan
from .verdicts import SUBDIRECTORY, VerdictWriter
from .wire import verdict_of
from .writer import DONE, PART, EpisodeWriter

WORKSHOP = ".repair"


def unfinished(directory: Path) -> list[Path]:
    """Episodes, and files of verdicts, that nobody is writing any more."""
    parts = [*directory.glob(f"*{PART}"), *directory.glob(f"{SUBDIRECTORY}/*{PART}")]
    return [path for path in sorted(parts) if not _busy(path)]


def repair(path: Path) -> Path | None:
    """Rewrite a torn or damaged episode up to its last complete step (verdicts: to the last).

    Returns the finished file, or None where not one step was complete: then the torn file is set
    aside as `.empty`. The original of a damaged finished file is kept as `.damaged`.
    """
    torn = path.name.endswith(PART)
    if torn and _busy(path):
        raise BusyError(f"{path}: another process is writing this file; wait until it ends")
    if path.parent.name == SUBDIRECTORY:
        return _repair_verdicts(path, torn)
    name = path.name.removesuffix(PART).removesuffix(DONE)
    finished = path.parent / (name + DONE)
    if not (torn and finished.exists()):  # else only the removal below was still to do
        try:
            episode = read_episode(path, tolerant=True)
        except DamagedError:
            path.rename(path.with_name(path.name + ".empty"))
            return None
        rewritten = _rewrite(episode, path.parent / WORKSHOP)
        if not torn:
            os.link(path, path.with_name(path.name + ".damaged"))
        os.replace(rewritten, finished)
        rewritten.parent.rmdir()
    if torn:
        path.unlink()
    return finished


def _repair_verdicts(path: Path, torn: bool) -> Path | None:
    """Give the verdicts that are whole again, in a new file. Twice the same does no harm."""
    whole = [(m.episode_id, verdict_of(m)) for _, m in scan(path, tolerant=True)]
    if not whole:
        path.rename(path.with_name(path.name + ".empty"))
        return None
    with VerdictWriter(path.parent.parent) as verdicts:
        for episode_id, verdict in whole:
            verdicts.add(episode_id, verdict)
    if torn:
        path.unlink()
    else:
        path.rename(path.with_name(path.name + ".damaged"))
    return verdicts.path


def _rewrite(episode: Episode, workshop: Path) -> Path:
    """Write `episode` again, whole; a workshop left by an earlier crash is cleared first."""
    if workshop.exists():
        for leftover in workshop.iterdir():
            leftover.unlink()
    with EpisodeWriter(workshop, episode.info, sync="episode") as writer:
        copy_steps(episode, writer)
        for verdict in episode.verdicts:
            writer.verdict(verdict)
        return writer.close(recovered=True)


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


def _busy(path: Path) -> bool:
    """A live writer holds the lock; a dead one's was dropped by the kernel."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False

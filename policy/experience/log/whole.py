"""An episode that is in memory, into a log."""

from __future__ import annotations

import os
from pathlib import Path

from policy.contract.files import sync_directory

from ..episode import Episode
from .repair import copy_steps, workshop_of
from .writer import EpisodeWriter


def write_episode(episode: Episode, log: Path) -> None:
    """Beside the log, then into it, so that a kill leaves it there or not at all."""
    with workshop_of(log) as workshop:
        with EpisodeWriter(workshop, episode.info, sync="episode") as writer:
            copy_steps(episode, writer)
            for verdict in episode.verdicts:
                writer.verdict(verdict)
            path = writer.close(recovered=episode.recovered)
        os.replace(path, log / path.name)
    sync_directory(log)

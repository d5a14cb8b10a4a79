"""From the log into a replay: what the ring has not had, and labels that have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .errors import ExperienceError, StorageError
from .log.index import Entry, Index
from .log.reader import read_episode
from .replay.ringfiles import label_of
from .replay.ringwriter import RingWriter


@dataclass
class Filled:
    added: int = 0
    problems: list[Exception] = field(default_factory=list)


def fill(ring: RingWriter, index: Index) -> Filled:
    """Each episode of the log goes in once, in the order of their birth as far as they are there;
    one that cannot be added is reported, tried again the next time, and does not hold up the
    others. Of more than the ring can hold, the newest are taken and the rest is passed over.
    """
    first, table = ring.episodes()
    held = {row["id"].decode(): (first + k, row["success"]) for k, row in enumerate(table)}
    entries = list(index)
    for entry in entries:
        if entry.episode_id in held:
            ordinal, label = held[entry.episode_id]
            if label != label_of(entry.success):
                ring.label(ordinal, entry.success)
    new = [e for e in entries if e.steps and e.episode_id not in ring.seen]
    done = Filled()
    for entry in _newest(new, ring.capacity):
        try:
            done.added += ring.add(replace(read_episode(entry.path), verdicts=entry.verdicts)) > 0
        except StorageError:  # not the episode's fault, and the next one's fate as well
            raise
        except (ExperienceError, FileNotFoundError) as error:
            done.problems.append(error)
            new.remove(entry)
    ring.pass_over(entry.episode_id for entry in new)
    return done


def _newest(entries: Sequence[Entry], capacity: int) -> list[Entry]:
    """The longest tail that fits, oldest first; what can never fit takes no room from others."""
    chosen: list[Entry] = []
    room = capacity
    for entry in reversed(entries):
        frames = entry.steps + 1
        if frames <= capacity:
            room -= frames
        if room < 0:
            break
        chosen.append(entry)
    return chosen[::-1]

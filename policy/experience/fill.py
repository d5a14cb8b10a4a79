"""From the log into a replay: what the ring has not had, and labels that have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from .episode import Episode
from .errors import ExperienceError, StorageError
from .log.index import Entry
from .log.reader import read_episode
from .replay.ringfiles import label_of
from .replay.ringwriter import RingWriter


@dataclass
class Filled:
    added: int = 0
    problems: list[Exception] = field(default_factory=list)


def fill(
    ring: RingWriter,
    log: Iterable[Entry],
    convert: Callable[[Episode], Episode] | None = None,
    judged: bool = False,
) -> Filled:
    """Each episode of the log goes in once, in the order of their birth as far as they are there;
    one that cannot be added is reported, tried again the next time, and does not hold up the
    others. `convert` makes of a logged episode what the ring holds. Of more than the ring can
    hold, the newest are taken and the rest is passed over.

    `judged`: where the cell judges itself, after the episode, the reward is the verdict that
    counts. Episodes end with it; those without one are left out until they have it.
    """
    first, table = ring.episodes()
    held = {row["id"].decode(): (first + k, row["success"]) for k, row in enumerate(table)}
    entries = [entry for entry in log if not judged or entry.success is not None]
    for entry in entries:
        if entry.episode_id in held:
            ordinal, label = held[entry.episode_id]
            if label != label_of(entry.success):
                ring.label(ordinal, entry.success, float(bool(entry.success)) if judged else None)
    new = [e for e in entries if e.steps and e.episode_id not in ring.seen]
    done = Filled()
    if sum(entry.steps + 1 for entry in new) > ring.capacity:
        new, old = _newest(new, ring.capacity, done)
        ring.pass_over(old)  # now: else a fill that is cut short would take them for new
    for entry in new:
        if entry.episode_id in ring.seen:
            continue  # the same episode, in another file
        episode = _read(entry, done)
        try:
            if episode is not None:
                episode = episode.paid if judged else episode
                done.added += ring.add(convert(episode) if convert else episode) > 0
        except StorageError:  # not the episode's fault, and the next one's fate as well
            raise
        except ExperienceError as error:
            done.problems.append(error)
    return done


def _read(entry: Entry, done: Filled) -> Episode | None:
    try:
        return replace(read_episode(entry.path), verdicts=entry.verdicts)
    except (ExperienceError, OSError) as error:
        done.problems.append(error)
        return None


def _newest(entries: Sequence[Entry], capacity: int, done: Filled) -> tuple[list[Entry], list[str]]:
    """The newest that fit, oldest first, and the ids of the rest. What cannot be read or can never
    fit takes no room from others: it is reported, and may be offered again."""
    chosen: list[Entry] = []
    room = capacity
    for k in reversed(range(len(entries))):
        entry, frames = entries[k], entries[k].steps + 1
        if frames > capacity:
            chosen.append(entry)  # to be refused, with its reason
        elif _read(entry, done) is not None:
            room -= frames
            if room < 0:
                return chosen[::-1], [one.episode_id for one in entries[: k + 1]]
            chosen.append(entry)
    return chosen[::-1], []

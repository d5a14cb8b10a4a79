"""Episodes of logs with the pictures that were judged and the labels that they got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from policy.contract import Invalid
from policy.experience.episode import PERSON, success
from policy.experience.log import Entry, open_index, read_episode

from .album import Album, Pair
from .detector import Clip


@dataclass(frozen=True)
class Example:
    log: Path
    entry: Entry

    @property
    def episode(self) -> str:
        return self.entry.episode_id

    @property
    def pair(self) -> Pair:
        return Album(self.log).pair(self.episode)

    @property
    def clip(self) -> Clip:
        """What cameras in colour saw during the attempt."""
        images = read_episode(self.entry.path).images
        return {name: frames for name, frames in images.items() if frames.shape[-1] == 3}

    def label(self, by: str = "") -> bool | None:
        """That counts; of one detector (`by`), or of all."""
        return success([v for v in self.entry.verdicts if not by or v.detector == by])


def examples(logs: Sequence[Path]) -> Iterator[Example]:
    """All episodes that have pictures, log by log, oldest first."""
    for log in logs:
        shown = set(Album(log))
        with open_index(log) as index:
            yield from (Example(log, entry) for entry in index if entry.episode_id in shown)


def labelled(logs: Sequence[Path], by: str = PERSON) -> list[tuple[Example, bool]]:
    """Those that a person labelled, or whom `by` names; "": whoever's label counts."""
    found = [(one, label) for one in examples(logs) if (label := one.label(by)) is not None]
    if not found:
        names = ", ".join(map(str, logs))
        wanted = f"some with pictures and a label by {by or 'anybody'}"
        remedy = "label some: python -m policy.experience label"
        raise Invalid("episodes", f"none in {names}", wanted, remedy)
    return found

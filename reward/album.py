"""The pictures that detectors judged, kept beside the episodes of a log: what a better detector is
trained on, tested on, and asked to judge again.

One file an episode in the log's folder `judged`: MCAP like the episodes themselves, checksummed,
complete or not there at all, and never changed. Foxglove opens it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from policy.experience.episode import Verdict
from policy.experience.log import messages, wire
from policy.experience.log.logfile import DONE, JUDGED, LogFile
from policy.experience.log.reader import scan
from policy.experience.pictures import write_picture

from .detector import Judgement, Pictures

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Pair:
    """Of the bin, by camera: before the hand let go over it, and after."""

    before: Pictures
    after: Pictures


class Album:
    def __init__(self, log: Path) -> None:
        self.folder = log / JUDGED

    def add(self, episode_id: str, pair: Pair) -> Path:
        """Raises `BusyError` if that episode has its pictures already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file, now = LogFile(self.folder, episode_id), time.time_ns()
        for when, pictures in ((BEFORE, pair.before), (AFTER, pair.after)):
            for camera, picture in pictures.items():
                topic = messages.camera_topic(f"{when}/{camera}")
                file.write(topic, messages.IMAGE, wire.image_message(camera, picture, now), now)
        file.commit(sync=True)
        return file.finish()

    def keep(self, episode_id: str, pair: Pair, found: Sequence[Verdict]) -> None:
        """With what each detector has to show for its verdict."""
        self.add(episode_id, pair)
        for one in found:
            if isinstance(one, Judgement) and one.evidence is not None:
                write_picture(self.folder / f"{episode_id}_{one.detector}.jpg", one.evidence)

    def pair(self, episode_id: str) -> Pair:
        """Raises `OSError` where there are none, `ExperienceError` where they are damaged."""
        found: dict[str, dict[str, object]] = {BEFORE: {}, AFTER: {}}
        for topic, message in scan(self.folder / (episode_id + DONE)):
            when, _, camera = (messages.camera_of(topic) or "").partition("/")
            if when in found and camera:
                found[when][camera] = wire.frame_of(message)
        return Pair(found[BEFORE], found[AFTER])  # type: ignore[arg-type]

    def __contains__(self, episode_id: str) -> bool:
        return (self.folder / (episode_id + DONE)).exists()

    def __iter__(self) -> Iterator[str]:
        """Episodes that have their pictures, by id."""
        return iter(sorted(path.name.removesuffix(DONE) for path in self.folder.glob(f"*{DONE}")))

"""What comes in while a robot works: its log's new episodes, and verdicts that came late, sorted
into the rings that a learner draws from.

Nothing lives only here. What a ring has had it knows by itself, and all else is in the log.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack
from pathlib import Path

from policy.config import FinetuneConfig
from policy.contract import Deployment
from policy.experience.episode import DEMONSTRATION, Driver
from policy.experience.errors import DamagedError
from policy.experience.fill import fill
from policy.experience.log.index import Entry, open_index
from policy.experience.replay import RingWriter, Source
from policy.offline import load_logs, open_ring, reduced, require_logs
from policy.statistics import Rate

LOG = logging.getLogger(__name__)
RECENT = 200  # episodes that the success rate is of
PEOPLE = (Driver.HUMAN, Driver.SCRIPT)  # a near-expert's script stands in for a person


class Tail:
    def __init__(
        self, config: FinetuneConfig, directory: Path, deployment: Deployment, stack: ExitStack
    ) -> None:
        self._config, self._deployment = config, deployment
        data, log = config.data, Path(config.log)
        require_logs(data.logs)
        capacities = {
            "offline": data.offline_capacity,
            "online": data.online_capacity,
            "demonstrations": config.demonstration_capacity,
        }
        self.rings = {
            name: stack.enter_context(self._ring(directory / name, capacity))
            for name, capacity in capacities.items()
        }
        load_logs(self.rings["offline"], data.logs, deployment)
        log.mkdir(parents=True, exist_ok=True)  # a learner may be there before the robot
        self._index = stack.enter_context(open_index(log))
        self._new, self._shown = True, 0
        self._told: set[str] = set()

    def _ring(self, path: Path, capacity: int) -> RingWriter:
        try:
            return open_ring(path, self._deployment.seen, capacity)
        except DamagedError as error:
            LOG.warning("%s; filling it again", error)
            shutil.rmtree(path)
            return open_ring(path, self._deployment.seen, capacity)

    @property
    def sources(self) -> list[Source]:
        """LOGGED first: a learner may take what others did with a pinch of salt. What a person did
        is not of that kind: it was done where it was needed."""
        offline, online, demonstrations = self.rings.values()
        return [
            Source(offline, 1.0, self._config.data.success_share),
            Source(online, 1.0, self._config.data.success_share),
            Source(demonstrations, 1.0, None, PEOPLE),
        ]

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of the sources, by what has come in so far."""
        config = self._config
        online = config.data.share(self.taken) if self.rings["offline"].added else 1.0
        shown = config.demonstration_share
        shown *= min(self._shown / max(config.demonstration_ramp, 1), 1.0)
        return (1 - shown) * (1 - online), (1 - shown) * online, shown

    @property
    def taken(self) -> int:
        """Steps of all the robot's episodes that were judged."""
        return self.rings["online"].taken

    @property
    def episodes(self) -> int:
        return self.rings["online"].added

    @property
    def sizes(self) -> dict[str, float]:
        """What may be drawn."""
        held = {name: float(len(ring)) for name, ring in self.rings.items()}
        return {**held, "shown": float(self._shown)}

    @property
    def success(self) -> Rate:
        """Of the robot's latest episodes."""
        labels = self.rings["online"].episodes()[1]["success"][-RECENT:]
        return Rate(int((labels == 1).sum()), len(labels))

    def look(self) -> None:
        """Take in what is new. An intervention goes into both rings, as HIL-SERL has it: with all
        of its episode, since states before and after belong to it, of which the demonstrations'
        source draws what the person did."""
        if not self._index.refresh() and not self._new:
            return
        self._new = False
        entries = list(self._index)
        shown = [entry for entry in entries if _shown(entry)]
        own = [entry for entry in entries if entry.source != DEMONSTRATION]
        problems: list[object] = list(self._index.problems)
        for name, chosen in (("online", own), ("demonstrations", shown)):
            done = fill(
                self.rings[name], chosen, lambda e: reduced(e, self._deployment), judged=True
            )
            problems += done.problems
        self._shown = sum(_shown(entry) for entry in shown if entry.success is not None)
        for problem in {str(one) for one in problems} - self._told:
            self._told.add(problem)
            LOG.warning("left out: %s", problem)


def _shown(entry: Entry) -> int:
    """Steps that a person, or who stands in for one, drove."""
    return entry.steps if entry.source == DEMONSTRATION else entry.human_steps

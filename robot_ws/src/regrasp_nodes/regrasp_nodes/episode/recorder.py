"""Puts an episode together from what the policy saw and what the guard did, and writes it down
step by step.

Observation k, then action k that the guard executed, then observation k + 1: the step is complete
and on the disk. What comes out of order or from another episode is left aside; what is missing
ends the episode where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from policy.contract import Interface
from policy.experience.episode import Action, EpisodeInfo, Observation, Verdict
from policy.experience.log.writer import EpisodeWriter

from ..guard.limits import TERMINATE


@dataclass(frozen=True)
class Rollout:
    """How it went: `over` when the policy ended it or time was up, else it was broken off."""

    over: bool
    problem: str = ""


class Recorder:
    """One episode's. `done` is called once, from whichever thread brought the end."""

    def __init__(
        self, directory: Path, info: Callable[[Interface], EpisodeInfo], done: Callable[[], None]
    ) -> None:
        self._directory, self._info, self._done = directory, info, done
        self._writer: EpisodeWriter | None = None
        self._actions: dict[int, Action] = {}
        self._expected = 0
        self._terminate = 0
        self.rollout: Rollout | None = None

    def executed(self, index: int, action: Action) -> None:
        self._actions[index] = action

    def observed(
        self, index: int, observation: Observation, last: bool, interface: Interface | None
    ) -> None:
        """Raises what the writer says against it."""
        if self.rollout is not None or index != self._expected:
            return
        self._expected += 1
        if self._writer is None:
            if interface is None:
                self.end("the first observation came without its interface")
                return
            self._terminate = interface.action.names.index(TERMINATE)
            self._writer = EpisodeWriter(self._directory, self._info(interface))
            self._writer.reset(observation)
            return
        action = self._actions.pop(index - 1, None)
        if action is None:
            self.end(f"nothing was heard of the execution of step {index - 1}")
            return
        terminated = bool(action.executed[self._terminate] > 0.5)
        ended = replace(action, terminated=terminated, truncated=last and not terminated)
        self._writer.step(ended, observation)
        if last or terminated:
            self._finish(Rollout(True))

    def end(self, problem: str) -> None:
        """Break it off. What is complete is kept."""
        if self.rollout is None:
            self._finish(Rollout(False, problem))

    def _finish(self, rollout: Rollout) -> None:
        self.rollout = rollout
        self._done()

    def store(self, verdicts: list[Verdict]) -> Path | None:
        """The episode's file; None if there was nothing to keep."""
        if self._writer is None:
            return None
        for verdict in verdicts:
            self._writer.verdict(verdict)
        return self._writer.close()

    def abandon(self) -> None:
        """Leave what there is to `repair`."""
        if self._writer is not None:
            self._writer.abandon()

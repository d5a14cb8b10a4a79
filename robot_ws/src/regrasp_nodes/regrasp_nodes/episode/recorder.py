"""Puts an episode together from what the policy saw and what the guard did, and writes it down
step by step.

Observation k, then action k that the guard executed, then observation k + 1: the step is complete
and on the disk. The last two come from two nodes, in either order. What comes again is left aside;
what is missing ends the episode where it is, and so does a policy that begins anew in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policy.contract import Interface
from policy.experience.episode import Action, EpisodeInfo, Frame, Observation, Verdict
from policy.experience.log.writer import EpisodeWriter

from ..guard.limits import TERMINATE

MOMENTS = 4  # of an attempt, for who judges it


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
        self._early: tuple[Observation, bool] | None = None  # before the action that led to it
        self._expected, self._newest_ns = 0, 0
        self._terminate = 0
        self._shown: list[Mapping[str, Frame]] = []
        self.rollout: Rollout | None = None

    def executed(self, index: int, action: Action) -> None:
        self._actions[index] = action
        if self._early is not None:
            self.observed(self._expected, *self._early, None)

    def observed(
        self, index: int, observation: Observation, last: bool, interface: Interface | None
    ) -> None:
        """Raises what the writer says against it."""
        if self.rollout is not None:
            return
        again = index < self._expected
        if again and observation.stamp_ns > self._newest_ns:
            self.end(f"the policy went back to step {index}: was its node started again?")
        if again:
            return
        if index > self._expected:
            if self._early is not None:
                self.end(f"nothing was heard of the execution of step {self._expected - 1}")
            return
        if self._writer is None:
            self._begin(observation, interface)
            return
        action = self._actions.pop(index - 1, None)
        self._early = (observation, last) if action is None else None
        if action is None:
            return
        self._expected, self._newest_ns = self._expected + 1, observation.stamp_ns
        terminated = bool(action.executed[self._terminate] > 0.5)
        ended = replace(action, terminated=terminated, truncated=last and not terminated)
        self._writer.step(ended, observation)
        self._show(observation)
        if last or terminated:
            self._finish(Rollout(True))

    def _begin(self, observation: Observation, interface: Interface | None) -> None:
        if interface is None:
            self.end("the first observation came without its interface")
            return
        self._expected, self._newest_ns = 1, observation.stamp_ns
        self._terminate = interface.action.names.index(TERMINATE)
        self._writer = EpisodeWriter(self._directory, self._info(interface))
        self._writer.reset(observation)
        self._show(observation)

    def _show(self, observation: Observation) -> None:
        """Keep what is in colour; others are nothing to look at."""
        coloured = {name: f for name, f in observation.images.items() if f.shape[-1] == 3}
        if coloured:
            self._shown.append(coloured)

    @property
    def clip(self) -> dict[str, Frame]:
        """By camera: a few moments, from the first to the last."""
        if not self._shown:
            return {}
        at = np.linspace(0, len(self._shown) - 1, MOMENTS).round().astype(int)
        names = self._shown[0]
        return {name: np.stack([self._shown[k][name] for k in at]) for name in names}

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

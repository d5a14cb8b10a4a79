"""Write one episode: an append-only MCAP file that a crash cannot spoil.

Every step is one checksummed chunk, appended and flushed to the disk before `step` returns; the
file carries the suffix `.part` until the episode ends, then it is renamed into place. Whatever is
killed whenever, a reader finds every step that was reported as durable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..episode import Action, Driver, EpisodeInfo, Observation, Verdict
from ..errors import ExperienceError
from . import messages, wire
from .logfile import Compression, LogFile

FLOAT32_MAX = float(np.finfo(np.float32).max)


class EpisodeWriter:
    """
    with EpisodeWriter(directory, info) as writer:
        writer.reset(observation)
        while not done:
            writer.step(action, observation)
        writer.verdict(verdict)

    Leaving the block ends the episode and renames the file; leaving it by an exception keeps what
    was written as a `.part` file, for `repair` to finish; leaving it before `reset` leaves nothing.
    With sync="episode" the disk is waited for only once, at the end: for simulators, that can
    afford to lose an episode. Messages are logged at the observations' own time.
    """

    def __init__(
        self,
        directory: Path,
        info: EpisodeInfo,
        sync: Literal["step", "episode"] = "step",
        compression: Compression = "zstd",
    ) -> None:
        self.info = info
        self._info_message = wire.info_message(info)  # may refuse, so before there is a file
        self._file = LogFile(directory, info.episode_id, compression)
        self._sync = sync == "step"
        self._now = 0
        self._steps = self._durable = self._human = 0
        self._return = 0.0
        self._last: Action | None = None

    @property
    def path(self) -> Path:
        """Where the episode will be, once it is whole."""
        return self._file.path

    @property
    def part(self) -> Path:
        """Where it is until then, and stays after a crash."""
        return self._file.part.path

    @property
    def durable_steps(self) -> int:
        """Steps, the first observation included, that no crash can take away any more."""
        return self._durable

    def reset(self, observation: Observation) -> None:
        """The observation after reset: step 0."""
        if self._steps:
            raise ExperienceError(
                f"{self.path.name}: reset after {self._steps} steps; call it first"
            )
        self._check(observation)
        self._file.write("/episode/info", messages.INFO, self._info_message, observation.stamp_ns)
        self._file.commit(sync=False)
        self._append(observation, Action(wire.NO_ACTION, Driver.NOBODY))

    def step(self, action: Action, observation: Observation) -> int:
        """An action and the observation that followed. Returns the number of durable steps."""
        if not self._steps:
            raise ExperienceError(
                f"{self.path.name}: step before reset; give the first observation"
            )
        if self._last is not None and (self._last.terminated or self._last.truncated):
            raise ExperienceError(f"{self.path.name}: step after the episode's end; start another")
        spec = self.info.interface.action
        spec.check(action.executed, "executed")
        for field, wanted in (("policy", action.policy), ("human", action.human)):
            if wanted is not None:
                spec.check(wanted, field)
        if not abs(action.reward) <= FLOAT32_MAX:  # nor NaN
            raise ExperienceError(
                f"{self.path.name}: reward: found {action.reward}, wanted a finite float32; "
                "look at what computes it"
            )
        self._check(observation)
        self._append(observation, action)
        self._return += action.reward
        self._human += action.driver == Driver.HUMAN
        self._last = action
        return self._durable

    def verdict(self, verdict: Verdict) -> None:
        message = wire.verdict_message(self.info.episode_id, verdict)
        self._file.write("/episode/verdict", messages.VERDICT, message, self._now)
        self._file.commit(self._sync)

    def close(self, recovered: bool = False) -> Path:
        """End the episode: write its sums and index, flush, rename into place."""
        if not self._steps:
            raise ExperienceError(f"{self.path.name}: ended before reset; there is nothing to keep")
        if self.path.exists():
            return self.path
        last = self._last
        end = messages.message(
            messages.END,
            steps=self._steps - 1,
            episode_return=self._return,
            human_steps=self._human,
            terminated=last is not None and last.terminated,
            truncated=last is None or not last.terminated,
            recovered=recovered,
            policy_version=last.policy_version if last else "",
        )
        self._file.write("/episode/end", messages.END, end, self._now)
        return self._file.finish()

    def abandon(self) -> None:
        """Stop writing and leave the `.part` file to `repair`; without a step, leave nothing."""
        self._file.part.close()
        if not self._steps:
            self._file.part.path.unlink(missing_ok=True)

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._steps:
            self.close()
        else:
            self.abandon()

    def _check(self, observation: Observation) -> None:
        self.info.interface.observation.check(observation.images, observation.proprio)

    def _append(self, observation: Observation, action: Action) -> None:
        self._now = observation.stamp_ns
        for camera, frame in observation.images.items():
            message = wire.image_message(camera, frame, self._now)
            self._file.write(messages.camera_topic(camera), messages.IMAGE, message, self._now)
        step = wire.step_message(self._steps, observation, action)
        self._file.write("/episode/step", messages.STEP, step, self._now)
        self._file.commit(self._sync)
        self._steps += 1
        if self._sync:
            self._durable = self._steps

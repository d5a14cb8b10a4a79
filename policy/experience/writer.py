"""Write one episode: an append-only MCAP file that a crash cannot spoil.

Every step is one checksummed chunk, appended and flushed to the disk before `step` returns; the
file carries the suffix `.part` until the episode ends, then it is renamed into place. Whatever is
killed whenever, a reader finds every step that was reported as durable.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from policy.contract.files import sync_directory

from . import messages, wire
from .appendfile import AppendFile
from .episode import Action, Driver, EpisodeInfo, Observation, Verdict
from .errors import BusyError, ExperienceError, storage_error

PART = ".mcap.part"
DONE = ".mcap"
COMPRESSION = {
    "zstd": CompressionType.ZSTD,
    "lz4": CompressionType.LZ4,
    "none": CompressionType.NONE,
}


class EpisodeWriter:
    """
    with EpisodeWriter(directory, info) as writer:
        writer.reset(observation)
        while not done:
            writer.step(action, observation)
        writer.verdict(verdict)

    Leaving the block ends the episode and renames the file; leaving it by an exception keeps what
    was written as a `.part` file, for `repair` to finish. With sync="episode" the disk is waited
    for only once, at the end: for simulators, that can afford to lose an episode.
    """

    def __init__(
        self,
        directory: Path,
        info: EpisodeInfo,
        sync: Literal["step", "episode"] = "step",
        compression: Literal["zstd", "lz4", "none"] = "zstd",
    ) -> None:
        self.info = info
        self.path = directory / (info.episode_id + DONE)
        if self.path.exists():
            raise BusyError(f"{self.path}: this episode exists already; give each a new episode_id")
        self._file = AppendFile(directory / (info.episode_id + PART))
        # One chunk a step: chunks end only where we flush them.
        self._mcap = McapWriter(
            self._file,  # type: ignore[arg-type]
            chunk_size=1 << 40,
            compression=COMPRESSION[compression],
            enable_data_crcs=True,  # beside each chunk's: covers what lies between the chunks
        )
        self._sync = sync == "step"
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._now = info.stamp_ns
        self._steps = self._durable = self._human = 0
        self._return = 0.0
        self._last: Action | None = None
        self._mcap.start(profile="ros2", library="regrasp")
        self._write("/episode/info", messages.INFO, wire.info_message(info))
        self._commit()

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
        if not math.isfinite(action.reward):
            raise ExperienceError(
                f"{self.path.name}: reward: found {action.reward}, wanted a finite number; "
                "look at what computes it"
            )
        self._append(observation, action)
        self._return += action.reward
        self._human += action.driver == Driver.HUMAN
        self._last = action
        return self._durable

    def verdict(self, verdict: Verdict) -> None:
        message = wire.verdict_message(self.info.episode_id, verdict)
        self._write("/episode/verdict", messages.VERDICT, message, verdict.stamp_ns)
        self._commit()

    def close(self, recovered: bool = False) -> Path:
        """End the episode: write its sums and index, flush, rename into place."""
        if self.path.exists():
            return self.path
        last = self._last
        end = messages.message(
            messages.END,
            steps=max(self._steps - 1, 0),
            episode_return=self._return,
            human_steps=self._human,
            terminated=last is not None and last.terminated,
            truncated=last is None or not last.terminated,
            recovered=recovered,
            policy_version=last.policy_version if last else "",
        )
        self._write("/episode/end", messages.END, end)
        self._mcap.finish()
        self._file.keep(sync=True)
        self._file.close()
        try:
            os.rename(self._file.path, self.path)
            sync_directory(self.path.parent)
        except OSError as error:
            raise storage_error("rename into place", self.path, error) from error
        return self.path

    def abandon(self) -> None:
        """Stop writing and leave the `.part` file to `repair`."""
        self._file.close()

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _append(self, observation: Observation, action: Action) -> None:
        self.info.interface.observation.check(observation.images, observation.proprio)
        self._now = observation.stamp_ns
        for camera, frame in observation.images.items():
            message = wire.image_message(camera, frame, observation.stamp_ns)
            self._write(messages.camera_topic(camera), messages.IMAGE, message)
        step = wire.step_message(self._steps, observation, action)
        self._write("/episode/step", messages.STEP, step)
        self._steps += 1
        self._commit()

    def _write(self, topic: str, kind: str, message: Any, stamp_ns: int | None = None) -> None:
        if self._file.closed:
            raise ExperienceError(f"{self.path.name}: written to after it ended or failed")
        if kind not in self._schemas:
            text = messages.schema_text(kind).encode()
            self._schemas[kind] = self._mcap.register_schema(kind, "ros2msg", text)
        if topic not in self._channels:
            self._channels[topic] = self._mcap.register_channel(topic, "cdr", self._schemas[kind])
        now = self._now if stamp_ns is None else stamp_ns
        data = messages.serialize(kind, message)
        self._mcap.add_message(self._channels[topic], now, data, now)

    def _commit(self) -> None:
        self._mcap.flush()
        self._file.keep(self._sync)
        if self._sync:
            self._durable = self._steps

"""Read an episode's file: whole, or what is whole of it if a crash tore it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mcap.records import Channel, Chunk, DataEnd, Message, Schema

from policy.contract import ContractError, Invalid

from ..episode import Driver, Episode, EpisodeInfo, FloatArray, Frame, Verdict
from ..errors import DamagedError, ForeignError
from . import messages, wire
from .chunks import BoundedFile, chunk_at, contents, decoding, records, summary_of
from .logfile import VERDICTS


def scan(path: Path, *, tolerant: bool = False) -> Iterator[tuple[str, Any]]:
    """(topic, message) in file order, each chunk checked against its checksum.

    With `tolerant`, a damaged chunk is passed over and a torn tail ends the iteration; without,
    either is a `DamagedError`. Topics that are not ours are passed over.
    """
    schemas: dict[int, Schema] = {}
    channels: dict[int, tuple[str, str]] = {}
    ended = False
    with path.open("rb") as file:
        stream = records(BoundedFile(file))
        while True:
            try:
                with decoding(path):
                    record = next(stream, None)
            except DamagedError:
                if tolerant:
                    return
                raise
            if record is None:
                return
            ended = ended or isinstance(record, DataEnd)
            if ended:  # what follows only repeats, for the index
                continue
            try:
                with decoding(path):
                    inner = contents(record) if isinstance(record, Chunk) else [record]
            except DamagedError:
                if tolerant:
                    continue
                raise
            for one in inner:
                if isinstance(one, Schema):
                    schemas[one.id] = one
                elif isinstance(one, Channel) and (kind := _kind_of(one.topic)):
                    _check_schema(path, one.topic, kind, schemas.get(one.schema_id))
                    channels[one.id] = (one.topic, kind)
                elif isinstance(one, Message) and one.channel_id in channels:
                    topic, kind = channels[one.channel_id]
                    with decoding(path):
                        message = messages.deserialize(kind, one.data)
                    yield topic, message


def read_episode(path: Path, *, tolerant: bool = False) -> Episode:
    """The whole episode as arrays; with `tolerant`, up to its last step that is whole."""
    episode = _Builder(path, tolerant)
    for topic, message in scan(path, tolerant=tolerant):
        episode.add(topic, message)
    return episode.finish()


def check_episode(path: Path, most: int) -> EpisodeInfo:
    """Read all of a file that came from elsewhere and hold nothing of it: whole, ours, and no more
    than `most` bytes of frames once unpacked."""
    episode, size = _Builder(path, tolerant=False), 0
    for topic, message in scan(path):
        episode.add(topic, message)
        size += sum(frame.nbytes for frames in episode.frames.values() for frame in frames)
        episode.frames.clear()
        if size > most:
            raise ForeignError(
                f"{path}: found more than {most} bytes of frames, wanted fewer; it is too large "
                "to be learnt from"
            )
    return episode.whole()


@dataclass
class Summary:
    """What the index needs of a file. One that holds only verdicts has neither info nor end."""

    info: EpisodeInfo | None = None
    end: Any = None  # EpisodeEnd
    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)  # with their episode's id


def check_beside(path: Path, kind: str) -> None:
    """Of a log's directory VERDICTS or JUDGED: every checksum, and that only such things are in
    it."""
    found = {topic for topic, _ in scan(path)}
    verdicts = {topic for topic, kept in messages.TOPICS.items() if kept == messages.VERDICT}
    foreign = {
        topic
        for topic in found
        if not (topic in verdicts if kind == VERDICTS else messages.camera_of(topic))
    }
    if foreign or not found:
        told = ", ".join(sorted(foreign)) or "nothing of ours"
        raise ForeignError(f"{path.name}: found {told}, wanted {kind}; take it out of there")


def read_summary(path: Path) -> Summary:
    """Info, end and verdicts, without touching a single frame."""
    summary = Summary()
    for kind, value in _small_messages(path):
        if kind == messages.INFO:
            summary.info = _info_of(path, value)
        elif kind == messages.END:
            summary.end = value
        else:
            summary.verdicts.append((value.episode_id, wire.verdict_of(value)))
    if summary.info is None and not summary.verdicts:
        raise _foreign(path)
    return summary


def _small_messages(path: Path) -> list[tuple[str, Any]]:
    """(type, message) of all but steps and images, by the index at the file's end."""
    found: list[tuple[str, Any]] = []
    with path.open("rb") as file, decoding(path):
        bounded = BoundedFile(file)
        index = summary_of(bounded)
        if index is None:
            return found
        wanted = {
            number: channel
            for number, channel in index.channels.items()
            if channel.topic in messages.TOPICS and channel.topic != "/episode/step"
        }
        for channel in wanted.values():
            kind = messages.TOPICS[channel.topic]
            _check_schema(path, channel.topic, kind, index.schemas.get(channel.schema_id))
        for place in sorted(index.chunk_indexes, key=lambda one: one.chunk_start_offset):
            if not wanted.keys() & place.message_index_offsets.keys():
                continue
            for one in contents(chunk_at(bounded, place.chunk_start_offset)):
                if isinstance(one, Message) and one.channel_id in wanted:
                    kind = messages.TOPICS[wanted[one.channel_id].topic]
                    found.append((kind, messages.deserialize(kind, one.data)))
    return found


class _Builder:
    """Gathers messages into an `Episode`; a step counts once its EpisodeStep has been seen."""

    def __init__(self, path: Path, tolerant: bool) -> None:
        self.path, self.tolerant = path, tolerant
        self.info: EpisodeInfo | None = None
        self.pending: dict[str, Frame] = {}
        self.frames: dict[str, list[Frame]] = {}
        self.steps: list[Any] = []
        self.verdicts: list[Verdict] = []
        self.end: Any = None
        self.gap = False

    def add(self, topic: str, message: Any) -> None:
        camera = messages.camera_of(topic)
        if camera is not None:  # a bag may hold more cameras than the episode
            if self.info and camera in self.info.interface.observation.cameras:
                self.pending[camera] = wire.frame_of(message)
        elif topic == "/episode/info":
            self.info = _info_of(self.path, message)
        elif topic == "/episode/step":
            self._step(message)
        elif topic == "/episode/verdict":
            self.verdicts.append(wire.verdict_of(message))
        else:
            self.end = message

    def _step(self, step: Any) -> None:
        if self.info is None:
            if self.tolerant:
                return
            raise _foreign(self.path)
        frames, self.pending = self.pending, {}
        if step.index != len(self.steps):
            self.gap = True
            if self.tolerant:
                return  # it does not join on to the last one that is whole
            raise DamagedError(
                f"{self.path}: step {len(self.steps)}: found index {step.index}, wanted "
                f"{len(self.steps)}; the file lost a step, fetch it again"
            )
        interface = self.info.interface
        try:
            if step.driver not in list(Driver):
                raise Invalid("driver", step.driver, "0 to 3", "see EpisodeStep.msg")
            interface.observation.check(frames, step.proprio)
            for name in ("executed", "policy", "human"):
                action = getattr(step, f"{name}_action")
                if action.size:
                    interface.action.check(action, name)
        except Invalid as error:
            raise ForeignError(f"{self.path}: step {step.index}: {error}") from None
        for camera, frame in frames.items():
            self.frames.setdefault(camera, []).append(frame)
        self.steps.append(step)

    def whole(self) -> EpisodeInfo:
        if self.info is None and not self.tolerant:
            raise _foreign(self.path)
        if not self.tolerant and self.end is None:
            raise DamagedError(
                f"{self.path}: found no /episode/end, wanted one; the file is unfinished: "
                "run `python -m policy.experience repair` on its directory"
            )
        if self.info is None or not self.steps:
            raise DamagedError(f"{self.path}: found no complete step; there is nothing to read")
        return self.info

    def finish(self) -> Episode:
        info = self.whole()
        steps, width = self.steps, len(info.interface.action)
        terminated = bool(steps[-1].terminated)
        return Episode(
            info=info,
            images={camera: np.stack(frames) for camera, frames in self.frames.items()},
            proprio=np.stack([s.proprio for s in steps]),
            executed=_actions([s.executed_action for s in steps], width, 0.0),
            policy=_actions([s.policy_action for s in steps], width, np.nan),
            human=_actions([s.human_action for s in steps], width, np.nan),
            driver=np.array([s.driver for s in steps], np.uint8),
            q=np.array([s.q for s in steps], np.float32),
            reward=np.array([s.reward for s in steps], np.float32),
            observation_age=np.array([s.observation_age for s in steps], np.float32),
            capture_ns=_times([s.capture_stamp for s in steps]),
            execution_ns=_times([s.execution_stamp for s in steps]),
            policy_version=tuple(s.policy_version for s in steps),
            terminated=terminated,
            truncated=not terminated,
            recovered=self.gap or self.end is None or bool(self.end.recovered),
            verdicts=tuple(self.verdicts),
        )


def _actions(rows: list[FloatArray], width: int, absent: float) -> FloatArray:
    """Stack actions; an empty one means that there was none."""
    filled = np.full((len(rows), width), absent, np.float32)
    for target, row in zip(filled, rows, strict=True):
        if row.size:
            target[:] = row
    return filled


def _times(stamps: list[Any]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([messages.nanoseconds(stamp) for stamp in stamps], np.int64)


def _kind_of(topic: str) -> str | None:
    if messages.camera_of(topic) is not None:
        return messages.IMAGE
    return messages.TOPICS.get(topic)


def _info_of(path: Path, message: Any) -> EpisodeInfo:
    try:
        return wire.info_of(message)
    except (ContractError, Invalid) as error:
        raise ForeignError(f"{path}: {error}") from None


def _check_schema(path: Path, topic: str, kind: str, schema: Schema | None) -> None:
    """The log's own messages must be exactly those of this version; images are ROS's."""
    found = "no schema" if schema is None else schema.name
    if found != kind:
        raise ForeignError(f"{path}: topic {topic}: found type {found}, wanted {kind}; not our log")
    if kind == messages.IMAGE or schema is None:
        return
    text = schema.data.decode(errors="replace")
    theirs, ours = _fields(text), _fields(messages.schema_text(kind))
    if theirs != ours:
        extra = ", ".join(sorted(theirs - ours)) or "nothing"
        lacking = ", ".join(sorted(ours - theirs)) or "nothing"
        raise ForeignError(
            f"{path}: {kind}: found fields {extra}, lacks {lacking}; "
            "read it with the version of regrasp that wrote it"
        )


def _fields(text: str) -> set[str]:
    """The fields of the main definition, without comments and spacing."""
    main = text.split("=" * 80)[0].splitlines()
    return {" ".join(line.split("#")[0].split()) for line in main} - {""}


def _foreign(path: Path) -> ForeignError:
    return ForeignError(
        f"{path}: found no /episode/info topic, wanted an episode written by regrasp; "
        "this is another kind of bag: leave it out of the log's directory"
    )

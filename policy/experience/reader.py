"""Read an episode's file: whole, or up to its last complete step if a crash tore it."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import CRCValidationError, StreamReader
from rosbags.serde import SerdeError

from . import messages, wire
from .episode import Episode, EpisodeInfo, FloatArray, Frame, Verdict
from .errors import DamagedError, ForeignError

# Everything the decoders raise on bytes that are not what was written. A damaged length or offset
# makes them ask for too much memory or for an impossible place in the file.
DAMAGE = (
    *(McapError, CRCValidationError, SerdeError, struct.error, zstandard.ZstdError),
    *(ValueError, LookupError, OverflowError, MemoryError, RuntimeError),
)


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder says of bad bytes into one `DamagedError`."""
    try:
        yield
    except DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a failing device, not a senseless offset
            raise
        raise _damaged(path, error) from error


def scan(path: Path, *, tolerant: bool = False) -> Iterator[tuple[str, Any]]:
    """(topic, message) in file order, each chunk checked against its checksum.

    With `tolerant`, a torn or damaged tail ends the iteration; without, it is a `DamagedError`.
    Topics that are not ours are passed over: a bag may carry more than the episode.
    """
    schemas: dict[int, Schema] = {}
    channels: dict[int, tuple[str, str]] = {}
    with path.open("rb") as file:
        reader = StreamReader(file, validate_crcs=True, record_size_limit=path.stat().st_size)
        records = iter(reader.records)
        while True:
            try:
                with _decoding(path):
                    record = next(records, None)
            except DamagedError:
                if tolerant:
                    return
                raise
            if record is None:
                return
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel) and (kind := kind_of(record.topic)):
                _check_schema(path, record.topic, kind, schemas.get(record.schema_id))
                channels[record.id] = (record.topic, kind)
            elif isinstance(record, Message) and record.channel_id in channels:
                topic, kind = channels[record.channel_id]
                with _decoding(path):
                    message = messages.deserialize(kind, record.data)
                yield topic, message


def read_episode(path: Path, *, tolerant: bool = False) -> Episode:
    """The whole episode as arrays."""
    episode = _Builder(path)
    for topic, message in scan(path, tolerant=tolerant):
        episode.add(topic, message)
    return episode.finish(torn=tolerant)


@dataclass
class Summary:
    """What the index needs of a file. One that holds only verdicts has neither info nor end."""

    info: EpisodeInfo | None = None
    end: Any = None  # EpisodeEnd
    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)  # with their episode's id


def read_summary(path: Path) -> Summary:
    """Info, end and verdicts, without touching a single frame."""
    wanted = [topic for topic in messages.TOPICS if topic != "/episode/step"]
    found: list[tuple[str, Any]] = []
    with path.open("rb") as file, _decoding(path):
        reader = make_reader(file, validate_crcs=True)
        for schema, channel, message in reader.iter_messages(wanted, log_time_order=False):
            kind = messages.TOPICS[channel.topic]
            _check_schema(path, channel.topic, kind, schema)
            found.append((kind, messages.deserialize(kind, message.data)))
    summary = Summary()
    for kind, value in found:
        if kind == messages.INFO:
            summary.info = wire.info_of(value)
        elif kind == messages.END:
            summary.end = value
        else:
            summary.verdicts.append((value.episode_id, wire.verdict_of(value)))
    if summary.info is None and not summary.verdicts:
        raise _foreign(path)
    return summary


def kind_of(topic: str) -> str | None:
    if messages.camera_of(topic) is not None:
        return messages.IMAGE
    return messages.TOPICS.get(topic)


class _Builder:
    """Gathers messages into an `Episode`; a step counts once its EpisodeStep has been seen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info: EpisodeInfo | None = None
        self.pending: dict[str, Frame] = {}
        self.frames: dict[str, list[Frame]] = {}
        self.steps: list[Any] = []
        self.verdicts: list[Verdict] = []
        self.end: Any = None

    def add(self, topic: str, message: Any) -> None:
        camera = messages.camera_of(topic)
        if camera is not None:
            self.pending[camera] = wire.frame_of(message)
        elif topic == "/episode/info":
            self.info = wire.info_of(message)
        elif topic == "/episode/step":
            self._step(message)
        elif topic == "/episode/verdict":
            self.verdicts.append(wire.verdict_of(message))
        else:
            self.end = message

    def _step(self, step: Any) -> None:
        if self.info is None:
            raise _foreign(self.path)
        self.info.interface.observation.check(self.pending, step.proprio)
        if step.index != len(self.steps):
            raise DamagedError(
                f"{self.path}: step {len(self.steps)}: found index {step.index}, wanted "
                f"{len(self.steps)}; the file lost a step, fetch it again"
            )
        for camera, frame in self.pending.items():
            self.frames.setdefault(camera, []).append(frame)
        self.steps.append(step)
        self.pending = {}

    def finish(self, torn: bool) -> Episode:
        if self.info is None and not torn:
            raise _foreign(self.path)
        if not torn and self.end is None:
            raise DamagedError(
                f"{self.path}: found no /episode/end, wanted one; the file is unfinished: "
                "run `python -m policy.experience repair` on its directory"
            )
        if self.info is None or not self.steps:
            raise DamagedError(f"{self.path}: found no complete step; there is nothing to read")
        steps, width = self.steps, len(self.info.interface.action)
        terminated = bool(steps[-1].terminated)
        return Episode(
            info=self.info,
            images={camera: np.stack(frames) for camera, frames in self.frames.items()},
            proprio=np.stack([s.proprio for s in steps]),
            executed=_actions([s.executed_action for s in steps], width, 0.0),
            policy=_actions([s.policy_action for s in steps], width, np.nan),
            human=_actions([s.human_action for s in steps], width, np.nan),
            driver=np.array([s.driver for s in steps], np.uint8),
            q=np.array([s.q for s in steps], np.float32),
            reward=np.array([s.reward for s in steps], np.float32),
            observation_age=np.array([s.observation_age for s in steps], np.float32),
            capture_ns=np.array([messages.nanoseconds(s.capture_stamp) for s in steps], np.int64),
            execution_ns=np.array(
                [messages.nanoseconds(s.execution_stamp) for s in steps], np.int64
            ),
            policy_version=tuple(s.policy_version for s in steps),
            terminated=terminated,
            truncated=not terminated,
            recovered=self.end is None or bool(self.end.recovered),
            verdicts=tuple(self.verdicts),
        )


def _actions(rows: list[FloatArray], width: int, absent: float) -> FloatArray:
    """Stack actions; an empty one means that there was none."""
    filled = np.full((len(rows), width), absent, np.float32)
    for target, row in zip(filled, rows, strict=True):
        if row.size:
            target[:] = row
    return filled


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


def _damaged(path: Path, error: Exception) -> DamagedError:
    return DamagedError(
        f"{path}: damaged or torn ({type(error).__name__}: {error}); "
        "run `python -m policy.experience repair` on its directory to keep what is whole"
    )


def _foreign(path: Path) -> ForeignError:
    return ForeignError(
        f"{path}: found no /episode/info topic, wanted an episode written by regrasp; "
        "this is another kind of bag: leave it out of the log's directory"
    )

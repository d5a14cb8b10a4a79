"""ROS 2 messages of the log, built from their .msg text: no definition exists twice.

`rosbags` supplies the standard messages and the CDR codec; ours are read from
robot_ws/src/regrasp_msgs, the very files colcon builds.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

DEFINITIONS = Path(__file__).resolve().parents[3] / "robot_ws/src/regrasp_msgs/msg"
NANO = 1_000_000_000

IMAGE = "sensor_msgs/msg/Image"
INFO = "regrasp_msgs/msg/EpisodeInfo"
STEP = "regrasp_msgs/msg/EpisodeStep"
VERDICT = "regrasp_msgs/msg/Verdict"
END = "regrasp_msgs/msg/EpisodeEnd"

# One type a topic; cameras add /<name>/image_raw.
TOPICS = {
    "/episode/info": INFO,
    "/episode/step": STEP,
    "/episode/verdict": VERDICT,
    "/episode/end": END,
}
_CAMERA_TOPIC = "/{}/image_raw"


@cache
def typestore() -> Typestore:
    store = get_typestore(Stores.ROS2_JAZZY)
    texts = {f"regrasp_msgs/msg/{file.stem}": file for file in sorted(DEFINITIONS.glob("*.msg"))}
    if not texts:
        raise FileNotFoundError(
            f"{DEFINITIONS}: found no .msg file, wanted the log's message definitions; "
            "run from a checkout (pip install --editable .)"
        )
    for name, file in texts.items():
        store.register(get_types_from_msg(file.read_text(), name))
    return store


def message(name: str, **fields: Any) -> Any:
    """Build a message; every field must be given, as the wire has no defaults."""
    return typestore().types[name](**fields)


def serialize(name: str, value: Any) -> bytes:
    return bytes(typestore().serialize_cdr(value, name))


def deserialize(name: str, data: bytes) -> Any:
    return typestore().deserialize_cdr(data, name)


@cache
def schema_text(name: str) -> str:
    """The definition with all it depends on, as MCAP and Foxglove want it."""
    return typestore().generate_msgdef(name, ros_version=2)[0]


def time_message(nanoseconds: int) -> Any:
    sec, nanosec = divmod(nanoseconds, NANO)
    return message("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * NANO + int(stamp.nanosec)


def camera_topic(camera: str) -> str:
    return _CAMERA_TOPIC.format(camera)


def camera_of(topic: str) -> str | None:
    """The camera whose images `topic` carries, if it is a camera's."""
    head, tail = _CAMERA_TOPIC.split("{}")
    return (
        topic[len(head) : -len(tail)] if topic.startswith(head) and topic.endswith(tail) else None
    )

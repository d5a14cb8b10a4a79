"""Between the log's Python objects and their ROS 2 messages, both ways."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from policy.contract import Interface, Invalid, decode_json, encode

from ..episode import Action, EpisodeInfo, FloatArray, Frame, Observation, Verdict
from ..errors import ForeignError
from . import messages

NO_ACTION: FloatArray = np.empty(0, np.float32)
ENCODINGS = {1: "mono8", 2: "8UC2", 3: "rgb8", 4: "rgba8"}


def info_message(info: EpisodeInfo) -> Any:
    """Refuses what could not be read back, before there is a file that nobody can open."""
    interface = json.dumps(encode(info.interface))
    decode_json(Interface, interface, f"the interface of episode {info.episode_id}")
    return messages.message(
        messages.INFO,
        stamp=messages.time_message(info.stamp_ns),
        episode_id=info.episode_id,
        source=info.source,
        task=info.task,
        cell_id=info.cell_id,
        cell_fingerprint=info.cell_fingerprint,
        interface=interface,
        seed=info.seed,
        parameters=json.dumps(dict(info.parameters), default=_plain),
    )


def _plain(value: object) -> Any:
    """What randomisation samples comes in numpy's types."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"parameters: found {type(value).__name__}, wanted what JSON can hold")


def image_message(camera: str, frame: Frame, stamp_ns: int) -> Any:
    height, width, channels = frame.shape
    header = messages.message(
        "std_msgs/msg/Header",
        stamp=messages.time_message(stamp_ns),
        frame_id=f"{camera}_optical_frame",
    )
    return messages.message(
        messages.IMAGE,
        header=header,
        height=height,
        width=width,
        encoding=ENCODINGS[channels],
        is_bigendian=0,
        step=width * channels,
        data=np.ascontiguousarray(frame).reshape(-1),
    )


def step_message(index: int, observation: Observation, action: Action) -> Any:
    return messages.message(
        messages.STEP,
        index=index,
        capture_stamp=messages.time_message(observation.stamp_ns),
        proprio=observation.proprio,
        execution_stamp=messages.time_message(action.stamp_ns),
        observation_age=action.observation_age,
        policy_action=NO_ACTION if action.policy is None else action.policy,
        human_action=NO_ACTION if action.human is None else action.human,
        executed_action=action.executed,
        driver=int(action.driver),
        q=action.q,
        policy_version=action.policy_version,
        reward=action.reward,
        terminated=action.terminated,
        truncated=action.truncated,
    )


def verdict_message(episode_id: str, verdict: Verdict) -> Any:
    if not 0 <= verdict.confidence <= 1:  # nor NaN
        raise Invalid("confidence", verdict.confidence, "0 to 1", "abstain if it cannot be told")
    return messages.message(
        messages.VERDICT,
        stamp=messages.time_message(verdict.stamp_ns),
        episode_id=episode_id,
        detector=verdict.detector,
        gate=verdict.gate,
        abstained=verdict.abstained,
        success=verdict.success,
        confidence=verdict.confidence,
        reason=verdict.reason,
    )


def info_of(message: Any) -> EpisodeInfo:
    name = f"episode {message.episode_id}"
    return EpisodeInfo(
        interface=decode_json(Interface, message.interface, f"{name}, interface"),
        source=message.source,
        task=message.task,
        cell_id=message.cell_id,
        cell_fingerprint=message.cell_fingerprint,
        seed=message.seed,
        parameters=decode_json(dict, message.parameters, f"{name}, parameters"),
        episode_id=message.episode_id,
        stamp_ns=messages.nanoseconds(message.stamp),
    )


def frame_of(message: Any) -> Frame:
    channels = {name: count for count, name in ENCODINGS.items()}.get(message.encoding)
    row = message.width * (channels or 0)
    if channels is None or message.step != row or message.data.size != row * message.height:
        found = f"{message.encoding}, {message.step} bytes a row of {message.width} pixels"
        wanted = f"{' or '.join(ENCODINGS.values())} without padding, every row of it"
        raise ForeignError(f"image: found {found}, wanted {wanted}; convert the images first")
    frame: Frame = message.data.reshape(message.height, message.width, channels)
    return frame


def verdict_of(message: Any) -> Verdict:
    return Verdict(
        detector=message.detector,
        success=message.success,
        confidence=message.confidence,
        abstained=message.abstained,
        gate=message.gate,
        reason=message.reason,
        stamp_ns=messages.nanoseconds(message.stamp),
    )

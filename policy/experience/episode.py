"""An episode in memory: what the log writes and what it reads back."""

from __future__ import annotations

import enum
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from policy.contract import Interface, Invalid

FloatArray = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint8]

PERSON = "person"  # a detector that outranks all others
SIMULATOR = "simulator"  # the detector that knows; its rewards come with the steps
HEARD = "heard"  # the gate of a verdict that was asked for and written down, but may not label
DEMONSTRATION = "demonstration"  # the source of episodes that were shown, not tried


class Driver(enum.IntEnum):
    """Whose action was executed; the values are those of EpisodeStep.msg."""

    NOBODY = 0
    POLICY = 1
    HUMAN = 2
    SCRIPT = 3


def new_episode_id() -> str:
    """Sorts by time of birth; unique between processes and machines."""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + uuid.uuid4().hex[:8]


@dataclass(frozen=True)
class EpisodeInfo:
    interface: Interface
    source: str
    task: str = ""
    cell_id: str = ""
    cell_fingerprint: str = ""
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    episode_id: str = field(default_factory=new_episode_id)
    stamp_ns: int = field(default_factory=time.time_ns)

    def __post_init__(self) -> None:
        # The id names files, and it is read from files that others wrote.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,33}", self.episode_id):
            wanted = "1 to 34 letters, digits, _ and -"
            raise Invalid("episode_id", self.episode_id, wanted, "use new_episode_id()")


@dataclass(frozen=True)
class Observation:
    """What was sensed at one instant: raw frames by camera, and proprioception."""

    images: Mapping[str, Frame]
    proprio: FloatArray
    stamp_ns: int


@dataclass(frozen=True)
class Action:
    """What was done, who wanted it, and what came of it."""

    executed: FloatArray
    driver: Driver = Driver.POLICY
    policy: FloatArray | None = None
    human: FloatArray | None = None
    q: float = float("nan")
    policy_version: str = ""
    observation_age: float = 0.0
    stamp_ns: int = 0
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False


@dataclass(frozen=True)
class Verdict:
    """One detector's judgement of an episode. Verdicts are added, never replaced."""

    detector: str
    success: bool
    confidence: float = 1.0
    abstained: bool = False
    gate: str = ""
    reason: str = ""
    stamp_ns: int = field(default_factory=time.time_ns)


def success(verdicts: Sequence[Verdict]) -> bool | None:
    """The label that counts: a person's latest, else that of the latest detector that may label
    and did not abstain."""
    may = (v for v in verdicts if not v.abstained and v.gate != HEARD)
    said = sorted(may, key=lambda v: v.stamp_ns)
    said = [v for v in said if v.detector == PERSON] or said
    return said[-1].success if said else None


class Judged(Protocol):
    """An episode, or its row in an index."""

    @property
    def episode_return(self) -> float: ...

    @property
    def verdicts(self) -> Sequence[Verdict]: ...


def told(one: Judged) -> bool:
    """Whether its rewards came with its steps, from a simulator or another task that tells them; a
    cell that judges itself knows them when it is over, by the verdict."""
    return one.episode_return != 0 or any(v.detector == SIMULATOR for v in one.verdicts)


@dataclass(frozen=True)
class Episode:
    """T actions and T + 1 observations, as arrays over the T + 1 steps.

    Row k holds observation k and the action that led to it; row 0 has no action (zeros, and NaN
    where a policy's or person's action would be). This is dm_env's convention, and the reason
    that the final observation is never lost.
    """

    info: EpisodeInfo
    images: Mapping[str, Frame]
    proprio: FloatArray
    executed: FloatArray
    policy: FloatArray
    human: FloatArray
    driver: npt.NDArray[np.uint8]
    q: FloatArray
    reward: FloatArray
    observation_age: FloatArray
    capture_ns: npt.NDArray[np.int64]
    execution_ns: npt.NDArray[np.int64]
    policy_version: tuple[str, ...]
    terminated: bool
    truncated: bool
    recovered: bool
    verdicts: tuple[Verdict, ...]

    def __len__(self) -> int:
        """The number of actions."""
        return len(self.reward) - 1

    @property
    def episode_return(self) -> float:
        return float(self.reward.sum())

    @property
    def success(self) -> bool | None:
        return success(self.verdicts)

    @property
    def paid(self) -> Episode:
        """Its outcome is its last reward, and nothing is to be expected after."""
        reward = self.reward.copy()
        reward[-1] = float(bool(self.success))
        return replace(self, reward=reward, terminated=True, truncated=False)

"""What the guard is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from policy.contract import Strict
from policy.experience.episode import Driver

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Patience(Strict):
    """Seconds after which something counts as missing."""

    picture: float = 0.25  # between capture and action
    pose: float = 0.15
    human: float = 0.25
    lost: float = 1.0  # without a pose, what was held becomes a stop
    ramp: float = 2.0  # s until full speed, after arming


@dataclass(frozen=True)
class Sensed:
    stamp_ns: int
    pose: Array  # x, y, z, yaw
    lean: Array = field(default_factory=lambda: np.zeros(2))  # from straight down


@dataclass(frozen=True)
class Step:
    """What a policy wants in one control period; `action` is empty if it was not asked."""

    episode_id: str
    index: int
    action: FloatArray
    captured_ns: int
    q: float = float("nan")
    age: float = 0.0
    version: str = ""


@dataclass(frozen=True)
class Done:
    step: Step
    driver: Driver
    policy: FloatArray | None
    human: FloatArray | None
    executed: FloatArray
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    pose: Array  # x, y, z, yaw
    velocity: Array
    lean: Array
    lean_rate: Array

"""What may be chosen about the twin, and what it tells of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict

from ..config import ObjectConfig, SceneConfig
from ..parameters import Parameters
from ..presets import PRESETS
from .armstate import DriveConfig
from .claw import ClawConfig
from .feed import Counts, FeedConfig

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwinConfig(Strict):
    mode: Literal["real_time", "lockstep"] = "real_time"
    factor: float = 1.0  # twin seconds a wall second, in real_time
    seed: int = 0
    preset: str | None = None  # a room of presets.PRESETS; None: the cell as its file has it
    # Images: `wrist`, `wrist_depth`, or both. None: all that the cell's cameras give.
    cameras: tuple[str, ...] | None = None
    shadows: bool = True
    max_lag: float = 0.5  # s of wall time; what is lost beyond is not caught up with
    objects: ObjectConfig = field(default_factory=lambda: ObjectConfig(count=(6, 10)))
    # Finer than training's: stamps are in these steps, and reality is no coarser.
    scene: SceneConfig = field(default_factory=lambda: SceneConfig(timestep=0.002, shadows=512))
    drive: DriveConfig = field(default_factory=DriveConfig)
    claw: ClawConfig = field(default_factory=ClawConfig)
    feed: FeedConfig = field(default_factory=FeedConfig)

    def __post_init__(self) -> None:
        if not 0.01 <= self.factor <= 100:
            raise Invalid("factor", self.factor, "0.01 to 100", "1 is real time")
        if self.mode == "lockstep" and self.factor != 1:
            raise Invalid("factor", self.factor, "1 in lockstep", "the caller sets the pace there")
        if self.seed < 0:
            raise Invalid("seed", self.seed, "0 or more", "give another")
        if self.preset is not None and self.preset not in PRESETS:
            wanted = f"one of {', '.join(PRESETS)}"
            raise Invalid("preset", self.preset, wanted, "correct its name")
        if not 0 < self.max_lag < math.inf:
            raise Invalid("max_lag", self.max_lag, "more than 0 s", "give seconds")


@dataclass(frozen=True)
class Truth:
    """What no sensor tells: for tests and for measuring."""

    time_ns: int
    tcp_position: Array
    tcp_yaw: float
    joints: Array
    aperture: float
    contact_force: Array
    object_positions: Array
    object_quaternions: Array  # w, x, y, z
    held: int | None
    parameters: Parameters


@dataclass(frozen=True)
class Health:
    time_ns: int
    factor: float  # measured over the last seconds; in lockstep 0
    lag_s: float  # behind the schedule now
    slipped_s: float  # of twin time given up since the start
    cameras: dict[str, Counts]
    commands_received: int
    commands_refused: int  # while stopped
    commands_lost: int
    watchdog_stops: int
    failure: str | None

    @property
    def develop_ms(self) -> float:
        """What one frame costs: drawing, lens, sensor, encoding."""
        total = sum(c.develop_s for c in self.cameras.values())
        return 1e3 * total / max(1, sum(c.developed for c in self.cameras.values()))

"""What may be chosen about the twin's arm, and what it tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict

Array = npt.NDArray[np.float64]
Mode = Literal["ready", "protective_stop", "emergency_stop"]
POSITIVE = (
    "rate", "watchdog", "acceleration", "turn_acceleration", "contact_force", "strain", "deviation",
    "yield_force", "give",
)  # fmt: skip


@dataclass(frozen=True)
class DriveConfig(Strict):
    rate: float = 100.0  # joint states a second
    encoder_bits: int = 17  # a turn
    watchdog: float = 0.2  # s; a velocity older than this no longer counts
    acceleration: float = 5.0  # m/s^2, of the TCP
    turn_acceleration: float = 12.0  # rad/s^2
    contact_force: float = 60.0  # N; a blow
    # As impedance control has it: beyond so many N the setpoint gives way, as fast as the excess
    # over `give` (N*s/m). A stiff arm would press with hundreds where a goal lies in a thing.
    yield_force: float = 12.0
    give: float = 100.0
    strain: float = 0.3  # s that a joint may push at its limit without moving
    deviation: float = 0.5  # rad between setpoint and encoder
    singular: float = 0.03  # smallest singular value of the Jacobian

    def __post_init__(self) -> None:
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise Invalid(name, getattr(self, name), "more than 0", "give a positive number")
        if not 8 <= self.encoder_bits <= 32:
            raise Invalid("encoder_bits", self.encoder_bits, "8 to 32", "see the data sheet")
        if not 0 <= self.singular < 0.2:
            raise Invalid("singular", self.singular, "0 to 0.2", "0.03 stops short of a stretch")


@dataclass(frozen=True)
class ArmState:
    """As the encoders tell it. `force` is what the controller believes pushes on the gripper."""

    stamp_ns: int
    sequence: int
    positions: Array
    velocities: Array
    efforts: Array
    tcp_position: Array
    tcp_orientation: Array  # x, y, z, w
    force: Array  # N, base frame
    mode: Mode
    reason: str

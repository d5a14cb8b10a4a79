"""How the twin can be told to misbehave. Each fault is switched while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from calibration import Cell
from policy.contract import Invalid, Strict


@dataclass(frozen=True)
class Faults(Strict):
    """`twin.inject(Faults(drop=0.2))` replaces all faults at once; `Faults()` heals everything."""

    # Cameras.
    freeze: tuple[str, ...] = ()  # these hand out their last frame again: old stamp, old number
    repeat: float = 0.0  # share of frames with the pixels of the one before under a new stamp
    drop: float = 0.0  # share of frames lost on the way: their numbers are missing
    disconnect: tuple[str, ...] = ()  # nothing comes; numbers start anew after reconnection
    burst_every: float = 0.0  # s; so often, the link stalls
    burst_hold: float = 0.0  # s; for so long, then all that waited comes at once
    # Light.
    exposure_drift: float = 0.0  # share a second, at most, by which exposure and colour wander
    moving_shadow: float = 0.0  # share of the main lamp's light that somebody walking past takes
    # Arm and gripper.
    lose_commands: float = 0.0  # share of the arm's commands that never arrive
    repeat_pose: bool = False  # its last state is told again and again, under new stamps
    stick: tuple[int, ...] = ()  # joints that seize
    slip: bool = False  # oil on the pads
    gripper_jam: bool = False

    def __post_init__(self) -> None:
        for name in ("repeat", "drop", "lose_commands", "exposure_drift", "moving_shadow"):
            if not 0 <= getattr(self, name) <= 1:
                raise Invalid(name, getattr(self, name), "0 to 1", "give a share")
        if self.burst_every < 0 or not 0 <= self.burst_hold <= max(self.burst_every, 0):
            wanted = "0 <= burst_hold <= burst_every, in s"
            raise Invalid("burst_hold", self.burst_hold, wanted, "hold back less, or less often")

    def check(self, cell: Cell) -> None:
        """Refuse cameras and joints that the cell does not have."""
        for field in ("freeze", "disconnect"):
            for name in getattr(self, field):
                if name not in cell.cameras:
                    wanted = f"of {', '.join(cell.cameras)}"
                    raise Invalid(field, name, wanted, "name a camera of the cell")
        for joint in self.stick:
            if not 0 <= joint < cell.arm.joints:
                wanted = f"0 to {cell.arm.joints - 1}"
                raise Invalid("stick", joint, wanted, "name a joint by its number")

    def held_until(self, now_ns: int) -> int:
        """When the link lets go of what was sent at `now_ns`."""
        every, hold = round(self.burst_every * 1e9), round(self.burst_hold * 1e9)
        if not every or not hold:
            return now_ns
        start = now_ns - now_ns % every
        return start + hold if now_ns - start < hold else now_ns

"""How a command to the fingers goes. Nothing of ROS is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.twin import ClawState

Outcome = Literal["reached", "stalled", "late"]
LATE_NS = 5_000_000_000  # the slowest way takes a second


@dataclass(frozen=True)
class Grip:
    width: float
    sent_ns: int

    def outcome(self, state: ClawState) -> Outcome | None:
        """None while it is under way. What the fingers say before the command has reached them is
        of the one before."""
        if state.target == self.width and state.stamp_ns > self.sent_ns:
            if state.reached:
                return "reached"
            if state.stalled:
                return "stalled"
        return "late" if state.stamp_ns - self.sent_ns > LATE_NS else None

"""Where the tool is told to be, tick by tick, and whether the arm follows."""

from __future__ import annotations

import numpy as np

from calibration import Cell

from .lean import Lean
from .reference import Motion, Reference, bounded
from .tracking import Pulse, Tracking
from .values import Array, Command, Sensed

TAKEN = np.array([0.02, 0.02, 0.02, 0.1])  # m, rad: so far off, an arm that stood has been moved


class Tool:
    """A reference, what takes the arm's drift back to it, and how the tool leans."""

    def __init__(self, cell: Cell, motion: Motion, lean: float) -> None:
        latency = cell.latency.command.mean.value
        self.motion = motion
        self.reference, self.lean = Reference(motion), Lean(lean)
        self._tracking, self._pulse = Tracking(latency), Pulse(latency)

    def sense(self, sensed: Sensed) -> None:
        self._pulse.sense(np.concatenate([sensed.pose, sensed.lean]))

    @property
    def deaf(self) -> bool:
        """It was told to move, and the pose that is heard of it does not change."""
        return self._pulse.stopped

    def begin(self, at: Sensed) -> None:
        """Whatever was amiss, somebody has looked."""
        self._pulse.forget()
        self.stand(at)

    def stand(self, at: Sensed) -> None:
        """Here, at once."""
        self.reference.place(at.pose)
        self.lean.place(at.lean)
        self._tracking.forget()

    def advance(
        self, dt: float, now_ns: int, sensed: Sensed, share: float, holding: bool
    ) -> Command:
        """One tick; `share` of the speeds is allowed. Holding, it brakes where it is, and nothing
        is taken back: where the arm is nobody knows."""
        self.reference.advance(dt, share)
        self.lean.advance(dt, 0.0 if holding else share)
        velocity = self.reference.velocity.copy()
        self._tracking.tell(now_ns, self.reference.pose)
        if not holding:
            velocity += self._tracking.correction(sensed.stamp_ns, sensed.pose)
        velocity[:3] = bounded(velocity[:3], self.motion.speed * share)
        velocity[3:] = bounded(velocity[3:], self.motion.turn_rate * share)
        self._pulse.tell(velocity, dt)
        return Command(self.reference.pose.copy(), velocity, self.lean.now, self.lean.rate)

    def held_back(self, sensed: Sensed, most: Array) -> bool:
        """The arm is farther than that from where it should be by now."""
        return bool((np.abs(self._tracking.lag(sensed.stamp_ns, sensed.pose)) > most).any())

    def stay(self, dt: float, now_ns: int, sensed: Sensed, holding: bool) -> Command:
        """Stopped: come to rest and stay there; who follows poses needs one that does not wander
        along with the arm. Who moves the arm by hand takes it along."""
        self.reference.advance(dt)
        self._tracking.tell(now_ns, self.reference.pose)
        self.lean.place(sensed.lean)
        if not holding and self.held_back(sensed, TAKEN):
            self.stand(sensed)
        return Command(self.reference.pose.copy(), np.zeros(4), self.lean.now, np.zeros(2))

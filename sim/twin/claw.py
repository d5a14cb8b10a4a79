"""The twin's gripper as a driver shows it: width and force commanded, width and force told."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policy.contract import Invalid, Strict

from ..world import World
from .pace import Lag, Timeline
from .topic import Topic

REACHED = 0.0015  # m
STILL = 0.0003  # m in STILL_S
STILL_S = 0.06
GRACE_S = 0.15  # after a command, before standing still says anything


@dataclass(frozen=True)
class ClawConfig(Strict):
    rate: float = 50.0  # states a second
    width_grain: float = 0.0001  # m; what the feedback resolves
    force_grain: float = 0.5  # N

    def __post_init__(self) -> None:
        for name in ("rate", "width_grain", "force_grain"):
            if not 0 < getattr(self, name) < math.inf:
                raise Invalid(name, getattr(self, name), "more than 0", "give a positive number")


@dataclass(frozen=True)
class ClawState:
    """`object_detected`: the fingers stand before they closed as far as they were told. Jammed
    fingers look the same, as they do to a real gripper."""

    stamp_ns: int
    sequence: int
    width: float
    force: float
    target: float
    reached: bool
    stalled: bool
    object_detected: bool


@dataclass(frozen=True)
class Grip:
    width: float
    force: float


class ClawDriver:
    def __init__(
        self, world: World, config: ClawConfig, time: Timeline, seeds: Sequence[int], blocking: bool
    ) -> None:
        self.config, self._world, self._time = config, world, time
        self._dt = world.config.timestep
        gripper = world.cell.gripper
        self._strongest = gripper.force.value
        self._lag: Lag[Grip] = Lag(world.cell.latency.gripper, np.random.default_rng([*seeds, 2]))
        self.states: Topic[ClawState] = Topic("gripper", blocking)
        self._period = round(1e9 / config.rate)
        self._sequence, self._due_ns = 0, self._period
        self.reset()

    def command(self, width: float, force: float | None = None) -> None:
        """Open or close to `width` (m) with at most `force` (N); the cell's force by default."""
        self.states.check()
        grip = self.checked(width, force)
        with self._time.lock:
            self._lag.send(self._time.now_ns, grip)

    def checked(self, width: float, force: float | None = None) -> Grip:
        """The command that these make; raises why they make none."""
        low, high = self._world.cell.gripper.aperture.value
        if not low <= width <= high:
            raise Invalid("width", width, f"{low} to {high} m", "stay in the gripper's range")
        force = self._strongest if force is None else force
        if not 0 < force <= self._strongest:
            wanted = f"more than 0, {self._strongest} N at most"
            raise Invalid("force", force, wanted, "stay in the gripper's range")
        return Grip(width, force)

    def reset(self) -> None:
        """Open and idle, as the world's gripper is after its own reset."""
        world = self._world
        self._lag.clear()
        self._speed = world.closing_speed
        world.closing_speed = math.inf  # the ramp is ours
        self._target = self._setpoint = world.opening
        self._full = float(world.model.actuator_forcerange[world.gripper, 1])
        self._since = 0
        self._force_limit = self._strongest
        self._widths: deque[tuple[int, float]] = deque()

    def tick(self, now_ns: int) -> None:
        world = self._world
        for grip in self._lag.receive(now_ns):
            if grip.width > world.aperture:  # let go at once, however hard it squeezed
                self._setpoint = max(self._setpoint, world.aperture)
            self._target, self._force_limit, self._since = grip.width, grip.force, now_ns
            most = self._full * grip.force / self._strongest
            world.model.actuator_forcerange[world.gripper] = (-most, most)
        pace = self._speed * self._dt
        self._setpoint += min(max(self._target - self._setpoint, -pace), pace)
        world.grip(self._setpoint)

    def read(self, now_ns: int) -> ClawState | None:
        width = self._world.aperture
        self._widths.append((now_ns, width))
        while now_ns - self._widths[0][0] > STILL_S * 1e9:
            self._widths.popleft()
        if now_ns < self._due_ns:
            return None
        self._due_ns += self._period
        seen = [w for _, w in self._widths]
        still = max(seen) - min(seen) < STILL and now_ns - self._since > GRACE_S * 1e9
        reached = abs(width - self._target) < REACHED
        stalled = still and not reached
        force, config = self._world.grip_force, self.config
        gripped = stalled and self._target < width and force > 0.3 * self._force_limit
        self._sequence += 1
        return ClawState(
            now_ns, self._sequence - 1, round(width / config.width_grain) * config.width_grain,
            round(force / config.force_grain) * config.force_grain, self._target, reached,
            stalled, gripped,
        )  # fmt: skip

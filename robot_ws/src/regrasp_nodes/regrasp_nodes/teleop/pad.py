"""A gamepad or a SpaceMouse, as `sensor_msgs/Joy` has it: axes, buttons, and a dead-man's switch.

Nobody is followed unless the switch is held. On a pad it is a shoulder button; a SpaceMouse has
none to spare, so deflecting it is the switch, and it counts as held for a moment after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy.contract import ActionSpec, Invalid

from ..guard.limits import CLOSE, MOVES, OPEN, TERMINATE

FloatArray = npt.NDArray[np.float32]
REST = 0.08  # of an axis: a stick does not come back to nought
MOVED = 0.15
LINGER_S = 0.4


@dataclass(frozen=True)
class Device:
    """Which axis moves what (a sign turns it round; axes count from 1), and the buttons."""

    axes: tuple[int, int, int, int]  # x, y, z, yaw
    close: int
    open: int
    dead_man: int | None  # None: being moved
    terminate: int | None = None
    success: int | None = None
    failure: int | None = None
    stop: int | None = None
    arm: int | None = None  # together with the dead-man's switch


DEVICES = {
    # As joy_node numbers an Xbox pad: LB, A, B, Y, X, view, menu; left stick, right stick.
    "gamepad": Device((2, 1, 5, 4), 0, 1, 4, terminate=5, success=3, failure=2, stop=6, arm=7),
    # As spacenav_node gives it: x forward, y left, z up, and the turns.
    "spacemouse": Device((1, 2, 3, 6), 0, 1, None),
    # As keys.py gives them.
    "keyboard": Device((1, 2, 3, 4), 0, 1, 2, terminate=3, success=4, failure=5, stop=6, arm=7),
}


@dataclass(frozen=True)
class Orders:
    """What is asked of others, at the moment when a button goes down."""

    stop: bool = False
    arm: bool = False
    label: bool | None = None


class Pad:
    def __init__(
        self, spec: ActionSpec, device: Device, view: float = 0.0, gain: float = 1.0
    ) -> None:
        """`view`: the yaw that a person looks along; pushing forward moves the tool that way."""
        self._spec, self._device, self._gain = spec, device, gain
        self._turn = np.array([[math.cos(view), -math.sin(view)], [math.sin(view), math.cos(view)]])
        self._moves = [spec.names.index(name) for name in MOVES]
        self._switches = [spec.names.index(name) for name in (CLOSE, OPEN, TERMINATE)]
        self._down: frozenset[int] = frozenset()
        self._moved_s = -math.inf
        self.engaged = False
        self.action: FloatArray = np.zeros(len(spec), np.float32)

    def take(self, axes: Sequence[float], buttons: Sequence[int], now_s: float) -> Orders:
        device = self._device
        most = max(abs(axis) for axis in device.axes)
        if len(axes) < most:
            remedy = "choose the device that this is"
            raise Invalid("axes", len(axes), f"{most} or more", remedy)
        ways = np.array([self._way(axes[abs(a) - 1]) * math.copysign(1, a) for a in device.axes])
        down = frozenset(k for k, pressed in enumerate(buttons) if pressed)
        pressed, self._down = down - self._down, down
        if np.abs(ways).max() > MOVED or down & {device.close, device.open}:
            self._moved_s = now_s
        self.engaged = (
            now_s - self._moved_s < LINGER_S if device.dead_man is None else device.dead_man in down
        )
        ways[:2] = self._turn @ ways[:2]
        action = np.zeros(len(self._spec), np.float32)
        action[self._moves] = np.clip(self._gain * ways, -1, 1) * self._spec.high[self._moves]
        action[self._switches] = [
            button is not None and button in down
            for button in (device.close, device.open, device.terminate)
        ]
        self.action = action
        label = None
        if device.success in pressed or device.failure in pressed:
            label = device.success in pressed
        return Orders(device.stop in pressed, device.arm in pressed and self.engaged, label)

    @staticmethod
    def _way(value: float) -> float:
        """Fine in the middle, nothing at rest, nothing that is no number."""
        if not math.isfinite(value) or abs(value) < REST:
            return 0.0
        share = (min(abs(value), 1.0) - REST) / (1 - REST)
        return math.copysign(0.4 * share + 0.6 * share**3, value)

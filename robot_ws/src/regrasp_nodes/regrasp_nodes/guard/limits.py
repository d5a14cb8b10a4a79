"""What an action may be, here and now: the contract's range, the workspace, the cell's speeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.contract import ActionSpec

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

MOVES = ("dx", "dy", "dz", "dyaw")
CLOSE, OPEN, TERMINATE = "gripper_close", "gripper_open", "terminate"


@dataclass(frozen=True)
class Wish:
    """An action, read: how far to go from the commanded pose, and the switches."""

    by: Array  # dx, dy, dz, dyaw
    close: bool
    open: bool
    terminate: bool


class Limits:
    def __init__(self, cell: Cell) -> None:
        self.spec: ActionSpec = cell.interface().action
        space = cell.workspace
        self.low = np.array([*space.low.value, space.yaw.value[0]])
        self.high = np.array([*space.high.value, space.yaw.value[1]])
        names = self.spec.names
        self._moves = [names.index(name) for name in MOVES]
        self._switches = [names.index(name) for name in (CLOSE, OPEN, TERMINATE)]

    def allowed(self, at: Array) -> FloatArray:
        """(2, A): lowest and highest entries of an action from the commanded pose `at`. Where the
        pose is outside, the way back in is what is left."""
        box = np.stack([self.spec.low, self.spec.high])
        low, high = box[0, self._moves], box[1, self._moves]
        box[0, self._moves] = np.clip(self.low - at, low, high)
        box[1, self._moves] = np.clip(self.high - at, low, high)
        return box

    def sound(self, action: npt.NDArray[np.generic]) -> str | None:
        """None, or why nothing can be made of it. What is merely too large is clipped later."""
        if action.shape != (len(self.spec),):
            return f"action: found {action.shape}, wanted ({len(self.spec)},)"
        if not np.isfinite(action).all():
            bad = [n for n, v in zip(self.spec.names, action, strict=True) if not np.isfinite(v)]
            return f"action.{bad[0]}: not finite"
        return None

    def within(self, action: FloatArray, at: Array) -> tuple[FloatArray, list[str]]:
        """The action that may be executed from `at`, and the names of the entries that were cut."""
        wanted = self.spec.executed(action)
        low, high = self.allowed(at)
        cut = np.clip(wanted, low, high)
        names = [
            n for n, a, b in zip(self.spec.names, action, cut, strict=True) if abs(a - b) > 1e-6
        ]
        switches = {self.spec.names[k] for k in self._switches}
        return cut, [name for name in names if name not in switches]

    def wish(self, executed: FloatArray) -> Wish:
        close, open_, terminate = (bool(executed[k] > 0.5) for k in self._switches)
        return Wish(executed[self._moves].astype(float), close, open_, terminate)

    def inside(self, pose: Array) -> Array:
        return np.clip(pose, self.low, self.high)

    @property
    def nothing(self) -> FloatArray:
        """The action that moves nothing."""
        return self.spec.executed(np.zeros(len(self.spec), np.float32))

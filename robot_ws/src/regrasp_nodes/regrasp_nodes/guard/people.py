"""Who holds a dead-man's switch, on which device, and what they want."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class People:
    """Of several who hold theirs, the one who took it first is followed; a device that nobody
    holds, or that fell silent, says nothing about the others."""

    def __init__(self, patience_s: float) -> None:
        self._patience_ns = round(patience_s * 1e9)
        self._wishes: dict[str, tuple[int, FloatArray]] = {}  # since when they are valid

    def hold(self, device: str, wish: FloatArray, now_ns: int) -> None:
        self._forget_silent(now_ns)
        self._wishes[device] = now_ns, wish  # who is in it keeps his place

    def release(self, device: str) -> None:
        self._wishes.pop(device, None)

    def wish(self, now_ns: int) -> FloatArray | None:
        """None when nobody drives."""
        self._forget_silent(now_ns)
        return next((wish for _, wish in self._wishes.values()), None)

    def _forget_silent(self, now_ns: int) -> None:
        self._wishes = {
            device: (since, wish)
            for device, (since, wish) in self._wishes.items()
            if now_ns - since <= self._patience_ns
        }

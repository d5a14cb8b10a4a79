"""What a policy is told of the body, and how its action strays while it explores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from calibration import Cell
from policy.contract import ActionSpec, Entry

FloatArray = npt.NDArray[np.float32]
STRAY = 0.25  # of the largest action, standard deviation


def proprioception(
    cell: Cell, entries: Sequence[Entry], pose: npt.NDArray[np.float64], aperture: float
) -> FloatArray:
    """Of x, y, z, yaw, and how far the fingers are apart."""
    x, y, z, yaw = pose
    known = {
        "gripper_aperture": aperture, "tcp_x": x, "tcp_y": y,
        "tcp_height": z - cell.bin.centre.value[2], "tcp_yaw": yaw,
    }  # fmt: skip
    values = [np.clip(known[entry.name], entry.low, entry.high) for entry in entries]
    return np.array(values, np.float32)


def explored(
    action: FloatArray,
    spec: ActionSpec,
    limits: FloatArray | None,
    share: float,
    random: np.random.Generator,
) -> FloatArray:
    """In a share of steps, beside what is thought best, as in training; switches are left alone."""
    if random.random() >= share:
        return action
    spread = np.where([entry.discrete for entry in spec.entries], 0, STRAY * spec.high)
    low, high = (spec.low, spec.high) if limits is None else limits[0]
    strayed = action + random.normal(0, 1, len(action)) * spread
    return np.clip(strayed, low, high).astype(np.float32)

"""Whether a set of poses turns about enough axes to tell the hand from the eye."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
FEWEST = 8
SPREAD = math.radians(5)  # about a second axis, root mean square


def spreads(tcp: Sequence[Array]) -> tuple[Array, Array]:
    """How much the poses turn (rad, root mean square) about their three main axes, the most turned
    about first, and those axes as columns, in the frame of the mean TCP."""
    turns = Rotation.from_matrix(np.array([pose[:3, :3] for pose in tcp]))
    away = (turns.mean().inv() * turns).as_rotvec()
    values, axes = np.linalg.eigh(away.T @ away / len(away))
    return np.sqrt(np.maximum(values[::-1], 0)), axes[:, ::-1]


def require_axes(tcp: Sequence[Array]) -> None:
    """Turning about one axis alone leaves the camera's place along it unknown."""
    if len(tcp) < FEWEST:
        remedy = "record more, each turned another way"
        raise Invalid("poses", len(tcp), f"{FEWEST} or more", remedy)
    about, axes = spreads(tcp)
    if about[1] < SPREAD:
        names = ["xyz"[int(np.abs(axis).argmax())] for axis in axes.T]
        missing = sorted({"x", "y", "z"} - {names[0]})
        x, y, z = axes[:, 0]
        most, second = (math.degrees(angle) for angle in about[:2])
        turned = f"{most:.1f} deg about ({x:.2f}, {y:.2f}, {z:.2f}), {second:.1f} deg about another"
        wanted = f"{math.degrees(SPREAD):g} deg or more about a second axis (of the TCP)"
        remedy = f"turn the tool by 20 deg and more about its {missing[0]} or {missing[1]}, too"
        raise Invalid("rotation axes", turned, wanted, remedy)

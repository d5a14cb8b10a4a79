"""The TCP's offset in the flange, from touches of one fixed point with the tool's tip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from policy.contract import Invalid

from .axes import spreads
from .write import Value, measured

Array = npt.NDArray[np.float64]
FEWEST = 4
SPREAD = math.radians(8)  # about the second axis, root mean square
ROBUST = 5e-4  # m


@dataclass(frozen=True)
class PivotResult:
    """`tip` is the TCP in the flange frame, `point` what was touched, in the base frame."""

    tip: Array
    point: Array
    misses: Array  # m, of each touch
    sd: float  # m, of the tip

    @property
    def residual(self) -> float:
        return float(np.sqrt((self.misses**2).mean()))

    def values(self) -> Mapping[str, Value]:
        how = f"pivot, {len(self.misses)} touches"
        return {"arm.tcp.position": measured(self.tip, "m", how, self.sd)}


def pivot(flange: Sequence[Array]) -> PivotResult:
    """From flange poses (4, 4), the tip being at one and the same point in all of them."""
    if len(flange) < FEWEST:
        raise Invalid("touches", len(flange), f"{FEWEST} or more", "touch the point again, tilted")
    about, axes = spreads(flange)
    if about[1] < SPREAD:
        along = ", ".join(f"{one:.2f}" for one in axes[:, 0])
        found = f"turns about ({along}) alone (flange frame)"
        wanted = f"{math.degrees(SPREAD):.0f} deg about a second axis"
        raise Invalid("touches", found, wanted, "tilt the tool towards other sides, too")
    poses = np.array(flange)
    turns, places = poses[:, :3, :3], poses[:, :3, 3]
    # turn @ tip + place = point, for every touch
    slopes = np.concatenate([turns, np.broadcast_to(-np.eye(3), turns.shape)], axis=2)
    slopes = slopes.reshape(-1, 6)

    def misses(x: Array) -> Array:
        return np.asarray(slopes @ x + places.ravel(), np.float64)

    start = np.linalg.lstsq(slopes, -places.ravel(), rcond=None)[0]
    # One careless touch must not move the tip.
    found = least_squares(misses, start, lambda _: slopes, loss="soft_l1", f_scale=ROBUST)
    off = misses(found.x).reshape(-1, 3)
    variance = (off**2).sum() / max(off.size - 6, 1)
    covariance = variance * np.linalg.inv(slopes.T @ slopes)
    sd = float(np.sqrt(np.trace(covariance[:3, :3])))
    return PivotResult(found.x[:3], found.x[3:], np.linalg.norm(off, axis=1), sd)

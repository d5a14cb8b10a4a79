"""How much the pads hold: the friction coefficient from grips that held and grips that slipped.

A parallel gripper that presses with a force F holds a load of up to 2 mu F along its pads. A test
is one grip with a known load (a weight that hangs in the pads, or a spring balance's pull). Force
and friction come as a product: the force is what the gripper reports, or a load cell between its
fingers says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

Array = npt.NDArray[np.float64]
GRID = 2000
WIDEST = (0.02, 5.0)  # of any friction coefficient
NARROW, WIDE = 0.01, 0.5  # of the spread of its logarithm


@dataclass(frozen=True)
class Grip:
    force: float  # N, of the fingers against each other
    load: float  # N, along the pads
    slipped: bool


@dataclass(frozen=True)
class Friction:
    """`spread` is how much one grip's differs from the next's, as a share; the error is one
    standard deviation of the coefficient."""

    coefficient: float
    spread: float
    error: float


def friction(grips: Sequence[Grip]) -> Friction:
    """By likelihood: a grip slips where its load, over twice its force, is more than a coefficient
    that differs a little from grip to grip (log-normal)."""
    if not any(g.slipped for g in grips) or all(g.slipped for g in grips):
        kind = "slipped" if grips and grips[0].slipped else "held"
        wanted = "some that held and some that slipped"
        remedy = "press harder or load less" if kind == "slipped" else "press less or load more"
        raise Invalid("grips", f"{len(grips)} that {kind}", wanted, remedy)
    asked = np.log([g.load / (2 * g.force) for g in grips])
    slipped = np.array([g.slipped for g in grips])
    low, high = np.log(WIDEST)
    places = np.linspace(low, high, GRID)
    # Both unknowns on a grid: their posterior is not always a Gaussian's, with so few grips.
    widths = np.geomspace(NARROW, WIDE, 40)
    score = np.zeros((len(widths), GRID))
    for one, slip in zip(asked, slipped, strict=True):
        z = (one - places) / widths[:, None]
        score += _log_normal_cdf(z if slip else -z)
    weight = np.exp(score - score.max())
    weight /= weight.sum()
    by_place, by_width = weight.sum(axis=0), weight.sum(axis=1)
    mean = float(by_place @ places)
    deviation = math.sqrt(float(by_place @ (places - mean) ** 2))
    coefficient = math.exp(mean)
    return Friction(coefficient, float(by_width @ widths), coefficient * deviation)


def next_force(grips: Sequence[Grip], load: float, strongest: float) -> float:
    """With which to try that load next: between the strongest that slipped and the weakest that
    held (which may overlap), by halves; the gripper's strongest first."""
    held = [g.force / g.load for g in grips if not g.slipped]
    slid = [g.force / g.load for g in grips if g.slipped]
    high = min(held, default=strongest / load)
    low = max(slid, default=0.0)
    if not held:
        return strongest
    if not slid:
        return 0.5 * high * load
    return 0.5 * (low + high) * load


def _log_normal_cdf(z: Array) -> Array:
    """By the tail's own approximation (Abramowitz and Stegun 26.2.17), which keeps its logarithm
    finite."""
    size = np.abs(z)
    t = 1 / (1 + 0.2316419 * size)
    series = t * (
        0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    tail = -0.5 * size**2 - 0.5 * math.log(2 * math.pi) + np.log(series)
    return np.asarray(np.where(z < 0, tail, np.log1p(-np.exp(tail))), float)

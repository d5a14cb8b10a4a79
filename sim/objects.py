"""Things to grasp: convex primitives and compounds of up to three of them, drawn at random.

A shape lives in the plane of the table: `height` is along its own z. Its mass, centre of mass and
inertia are computed here from uniform density, because the simulator edits its model in place
(recompiling would cost 30 ms an episode) and MuJoCo computes them only when it compiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from calibration import rigid
from calibration.geometry import rotation

Array = npt.NDArray[np.float64]
Axis = Literal["x", "y", "z"]
Kind = Literal["box", "cylinder", "capsule", "sphere", "ellipsoid"]
PARTS = 3  # geoms a body has; a simple shape leaves the rest unused
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """`size` is MuJoCo's: half extents of a box or ellipsoid; radius and half length; radius."""

    kind: Kind
    size: tuple[float, float, float]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = UPRIGHT  # w, x, y, z, as MuJoCo has it

    @property
    def volume(self) -> float:
        a, b, c = self.size
        if self.kind == "box":
            return 8 * a * b * c
        if self.kind == "cylinder":
            return 2 * math.pi * a * a * b
        if self.kind == "capsule":
            return math.pi * a * a * (2 * b + 4 / 3 * a)
        return 4 / 3 * math.pi * (a * b * c if self.kind == "ellipsoid" else a**3)

    @property
    def extent(self) -> Array:
        """Half extents of the box around the part, in its own frame."""
        a, b, _ = self.size
        if self.kind in ("box", "ellipsoid"):
            return np.array(self.size)
        if self.kind == "sphere":
            return np.full(3, a)
        return np.array([a, a, b + (a if self.kind == "capsule" else 0.0)])

    @property
    def radius(self) -> float:
        """Of the sphere around the part."""
        a, b, c = self.size
        if self.kind == "cylinder":
            return math.hypot(a, b)
        if self.kind == "box":
            return math.hypot(a, b, c)
        return a + b if self.kind == "capsule" else a if self.kind == "sphere" else max(self.size)

    def unit_inertia(self) -> Array:
        """Diagonal inertia of one kilogram, in the part's own frame."""
        a, b, c = self.size
        if self.kind == "box":
            return np.array([b * b + c * c, a * a + c * c, a * a + b * b]) / 3
        if self.kind == "ellipsoid":
            return np.array([b * b + c * c, a * a + c * c, a * a + b * b]) / 5
        if self.kind == "sphere":
            return np.full(3, 0.4 * a * a)
        if self.kind == "cylinder":
            across = a * a / 4 + b * b / 3
            return np.array([across, across, a * a / 2])
        # A cylinder and two half spheres, weighed by volume.
        length, ball = 2 * b, 4 / 3 * a
        share = length / (length + ball)
        rod = a * a / 4 + b * b / 3
        caps = 0.4 * a * a + b * b + 0.75 * a * b
        across = share * rod + (1 - share) * caps
        return np.array([across, across, share * a * a / 2 + (1 - share) * 0.4 * a * a])


@dataclass(frozen=True)
class Thing:
    """An object: its parts, and what one cannot see."""

    family: str
    parts: tuple[Part, ...]
    density: float  # kg/m^3
    friction: float

    @property
    def mass(self) -> float:
        return self.density * sum(part.volume for part in self.parts)

    def inertial(self) -> tuple[Array, Array, Array]:
        """Centre of mass, orientation (w, x, y, z) of the principal axes, inertia about them."""
        masses = np.array([part.volume for part in self.parts]) * self.density
        centres = np.array([part.position for part in self.parts])
        com = masses @ centres / masses.sum()
        total = np.zeros((3, 3))
        for mass, centre, part in zip(masses, centres, self.parts, strict=True):
            turn, arm = matrix(part.quaternion), centre - com
            own = turn @ np.diag(mass * part.unit_inertia()) @ turn.T
            total += own + mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
        moments, axes = np.linalg.eigh(total)
        if np.linalg.det(axes) < 0:
            axes[:, 0] *= -1
        return com, quaternion(axes), moments

    def surface(self, random: np.random.Generator, count: int = 96) -> Array:
        """Points on the parts' surfaces, in the body's frame: enough to plan a grasp around."""
        each = max(1, count // len(self.parts))
        return np.concatenate([_surface(part, random, each) for part in self.parts])


def matrix(q: tuple[float, ...] | Array) -> Array:
    """Rotation matrix of w, x, y, z."""
    w, x, y, z = q
    return rotation((x, y, z, w))


def quaternion(turn: Array) -> Array:
    """w, x, y, z of a rotation matrix."""
    x, y, z, w = rigid.quaternion(turn)
    return np.array([w, x, y, z])


def about(axis: Axis, angle: float) -> tuple[float, float, float, float]:
    half = math.sin(angle / 2)
    x, y, z = (half if axis == name else 0.0 for name in "xyz")
    return (math.cos(angle / 2), x, y, z)


def _surface(part: Part, random: np.random.Generator, count: int) -> Array:
    a, b, _ = part.size
    normal = random.normal(size=(count, 3))
    sphere = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    if part.kind == "box":
        points = random.uniform(-1, 1, (count, 3))
        rows, face = np.arange(count), random.integers(0, 3, count)
        points[rows, face] = np.sign(points[rows, face])
        points *= part.size
    elif part.kind == "ellipsoid":
        points = sphere * part.size
    elif part.kind == "cylinder":
        angle, height = random.uniform(-math.pi, math.pi, count), random.uniform(-1, 1, count)
        points = np.stack([a * np.cos(angle), a * np.sin(angle), b * height], axis=1)
    else:
        points = a * sphere
        if part.kind == "capsule":
            points[:, 2] += random.uniform(-b, b, count)
    turned: Array = points @ matrix(part.quaternion).T + part.position
    return turned

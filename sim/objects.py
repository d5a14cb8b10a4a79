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

Array = npt.NDArray[np.float64]
Range = tuple[float, float]
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
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion(turn: Array) -> Array:
    """w, x, y, z of a rotation matrix: the eigenvector of its quadratic form, without branches."""
    (a, b, c), (d, e, f), (g, h, i) = turn
    form = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    _, vectors = np.linalg.eigh(form)
    q: Array = vectors[:, -1]
    return q if q[0] >= 0 else -q


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


def sample(
    random: np.random.Generator,
    widths: Range,
    families: tuple[str, ...],
    densities: Range = (250.0, 900.0),
    frictions: Range = (0.5, 1.1),
) -> Thing:
    """`widths` bounds the narrowest horizontal width, so that it may or may not fit the gripper."""
    family = families[random.integers(len(families))]
    parts = FAMILIES[family](random, random.uniform(*widths) / 2)
    return Thing(family, parts, random.uniform(*densities), random.uniform(*frictions))


def _block(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    return (Part("box", (r, r * random.uniform(1, 2.2), random.uniform(0.012, 0.032))),)


def _can(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    return (Part("cylinder", (r, random.uniform(0.015, 0.045), 0)),)


def _ball(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    return (Part("sphere", (max(r, 0.014), 0, 0)),)


def _egg(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    return (
        Part("ellipsoid", (r, r * random.uniform(1, 1.7), max(0.012, r * random.uniform(0.6, 1)))),
    )


def _stick(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r = min(max(r, 0.009), 0.022)
    return (
        Part("capsule", (r, random.uniform(0.02, 0.05), 0), quaternion=about("y", math.pi / 2)),
    )


def _rod(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r = min(max(r, 0.009), 0.022)
    return (
        Part("cylinder", (r, random.uniform(0.03, 0.06), 0), quaternion=about("y", math.pi / 2)),
    )


def _bracket(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    """An L."""
    r, h = min(r, 0.018), random.uniform(0.012, 0.025)
    long, short = random.uniform(0.03, 0.05), random.uniform(0.025, 0.04)
    return (
        Part("box", (r, long, h)),
        Part("box", (short, r, h), (r + short, r - long, 0)),
    )


def _tee(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r, h = min(r, 0.018), random.uniform(0.012, 0.025)
    long, cross = random.uniform(0.025, 0.045), random.uniform(0.03, 0.045)
    return (Part("box", (r, long, h)), Part("box", (cross, r, h), (0, long + r, 0)))


def _cross(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r, h = min(r, 0.016), random.uniform(0.01, 0.022)
    a, b = random.uniform(0.025, 0.045, 2)
    side = (b - r) / 2
    return (
        Part("box", (a, r, h)),
        Part("box", (r, side, h), (0, r + side, 0)),
        Part("box", (r, side, h), (0, -r - side, 0)),
    )


def _dumbbell(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    ball, bar = min(max(r, 0.016), 0.028), random.uniform(0.02, 0.04)
    lie = about("y", math.pi / 2)
    return (
        Part("cylinder", (ball * 0.5, bar, 0), quaternion=lie),
        Part("sphere", (ball, 0, 0), (bar + ball * 0.6, 0, 0)),
        Part("sphere", (ball, 0, 0), (-bar - ball * 0.6, 0, 0)),
    )


def _mug(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r, h = min(max(r, 0.022), 0.038), random.uniform(0.025, 0.04)
    grip = 0.006
    return (
        Part("cylinder", (r, h, 0)),
        Part("box", (0.012, grip, grip), (r + 0.010, 0, 0.5 * h)),
        Part("box", (grip, grip, 0.5 * h), (r + 0.016, 0, 0.0)),
    )


def _hammer(random: np.random.Generator, r: float) -> tuple[Part, ...]:
    r, long = min(max(r, 0.008), 0.014), random.uniform(0.04, 0.06)
    head = random.uniform(0.014, 0.02)
    return (
        Part("cylinder", (r, long, 0), quaternion=about("y", math.pi / 2)),
        Part("box", (head, head * 1.8, head), (long + head, 0, 0)),
    )


FAMILIES = {
    "block": _block,
    "can": _can,
    "ball": _ball,
    "egg": _egg,
    "stick": _stick,
    "rod": _rod,
    "bracket": _bracket,
    "tee": _tee,
    "cross": _cross,
    "dumbbell": _dumbbell,
    "mug": _mug,
    "hammer": _hammer,
}

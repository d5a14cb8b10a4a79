"""The families of things: how each is drawn at random from half its narrowest width, `r`."""

from __future__ import annotations

import math

import numpy as np

from .objects import Part, Thing, about

Range = tuple[float, float]


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

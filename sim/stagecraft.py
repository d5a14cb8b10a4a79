"""The textures of the twin's presets: drawn once, each for what it is called after.

They stand in the model under names of their own, beside the pool that randomisation draws from:
training never meets them, so that they can stand in for what training has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float64]
SIDE = 256


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def _cloud(random: np.random.Generator, cells: tuple[int, int], side: int = SIDE) -> Field:
    """Smooth noise that tiles, 0 to 1, of so many bumps down and across."""
    coarse = np.pad(random.random(cells), 2, mode="wrap")
    rows, columns = side // cells[0], side // cells[1]
    size = (coarse.shape[1] * columns, coarse.shape[0] * rows)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    start = (2 * rows, 2 * columns)
    cut: Field = np.clip(fine[start[0] : start[0] + side, start[1] : start[1] + side], 0, 1)
    return cut


def _grid() -> tuple[Field, Field]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    return y, x


def _paint(value: Field, *stops: tuple[float, float, float]) -> Field:
    """Colours along 0 to 1."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(value, at, [s[c] for s in stops]) for c in range(3)], axis=-1)


def _brushed(random: np.random.Generator) -> Field:
    """Long fine scratches along x."""
    fine, middle, coarse = (_cloud(random, cells) for cells in ((128, 2), (32, 4), (4, 4)))
    return 0.6 * fine + 0.25 * middle + 0.15 * coarse


def hazard_bench(random: np.random.Generator) -> Field:
    """A brushed steel table top, its edge marked yellow and black; oil stains, scratches."""
    y, x = _grid()
    steel = _paint(_brushed(random), (0.36, 0.38, 0.40), (0.60, 0.62, 0.64))
    stains = np.clip(_cloud(random, (4, 4)) * _cloud(random, (8, 8)) * 3 - 1.1, 0, 1)
    steel *= (1 - 0.45 * stains)[..., None]
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    stripe = ((x + y) * 12) % 1 < 0.5
    tape = np.where(stripe[..., None], (0.95, 0.74, 0.05), (0.07, 0.07, 0.07))
    worn = 1 - 0.35 * _cloud(random, (32, 32))[..., None]
    return np.where((edge < 0.085)[..., None], tape * worn, steel)


def concrete(random: np.random.Generator) -> Field:
    coarse, middle, fine = (_cloud(random, (n, n)) for n in (8, 32, 128))
    return _paint(0.5 * coarse + 0.3 * middle + 0.2 * fine, (0.34, 0.34, 0.33), (0.60, 0.59, 0.57))


def corrugated(random: np.random.Generator) -> Field:
    _, x = _grid()
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * 16 * x)
    return _paint(0.8 * wave + 0.2 * _cloud(random, (8, 8)), (0.28, 0.34, 0.36), (0.62, 0.68, 0.70))


OAK = ((0.46, 0.32, 0.19), (0.68, 0.51, 0.33), (0.83, 0.68, 0.49))


def oak(random: np.random.Generator) -> Field:
    """A worktop glued from staves, each with a tone and a grain of its own."""
    y, x = _grid()
    staves = 8
    picture = np.zeros((SIDE, SIDE, 3))
    for stave in range(staves):
        rows = slice(stave * SIDE // staves, (stave + 1) * SIDE // staves)
        joint = random.random()
        for half in (0, 1):
            grain = _cloud(random, (64, 4)) * 0.5 + _cloud(random, (32, 2)) * 0.5
            tone = random.uniform(-0.22, 0.22)
            wood = _paint(np.clip(grain + tone, 0, 1), *OAK)
            part = ((x[rows] - joint) % 1 < 0.5) == bool(half)
            picture[rows] = np.where(part[..., None], wood[rows], picture[rows])
    gap = ((y * staves) % 1 < 0.03)[..., None]
    return np.where(gap, picture * 0.55, picture)


def metro_tiles(random: np.random.Generator) -> Field:
    """Glazed tiles in bond, grout between."""
    y, x = _grid()
    rows, columns = 8, 4
    row = np.floor(y * rows).astype(int)
    across = x * columns + 0.5 * (row % 2)
    tone = random.uniform(-0.06, 0.06, (rows, columns))[row, np.floor(across).astype(int) % columns]
    u, v = across % 1, (y * rows) % 1
    grout = (u < 0.03) | (v < 0.07)
    bevel = 0.06 * (v < 0.2) - 0.06 * (v > 0.9)
    tile = np.stack([0.56 + tone + bevel, 0.72 + tone + bevel, 0.64 + tone + bevel], axis=-1)
    return np.where(grout[..., None], (0.90, 0.89, 0.85), tile)


def terracotta(random: np.random.Generator) -> Field:
    y, x = _grid()
    n = 4
    tone = random.uniform(0, 1, (n, n))[(y * n).astype(int), (x * n).astype(int)]
    mottled = 0.6 * tone + 0.4 * _cloud(random, (32, 32))
    clay = _paint(mottled, (0.50, 0.31, 0.22), (0.68, 0.47, 0.36))
    joint = ((x * n) % 1 < 0.05) | ((y * n) % 1 < 0.05)
    return np.where(joint[..., None], (0.62, 0.58, 0.52), clay)


def breadboard(random: np.random.Generator) -> Field:
    """A black anodised optical table: threaded holes in a grid, of which this is two by two."""
    y, x = _grid()
    n = 4
    radius = np.hypot((x * n) % 1 - 0.5, (y * n) % 1 - 0.5)
    metal = _paint(_cloud(random, (64, 64)), (0.13, 0.13, 0.145), (0.19, 0.19, 0.205))
    rim = np.clip(1 - np.abs(radius - 0.155) / 0.035, 0, 1)[..., None]
    hole = np.clip((0.15 - radius) / 0.03, 0, 1)[..., None]
    return (metal + 0.35 * rim) * (1 - hole) + 0.01 * hole


def server_rack(random: np.random.Generator) -> Field:
    """The far wall at night: dark units in a rack, some of their lamps lit."""
    y, x = _grid()
    unit = (y * 16) % 1
    wall = np.where(((unit < 0.12) | ((x * 4) % 1 < 0.04))[..., None], 0.03, 0.11) * np.ones(3)
    colours = ((0.2, 1.0, 0.4), (0.3, 0.6, 1.0), (1.0, 0.6, 0.1))
    for row in range(16):
        for column in random.choice(64, 5, replace=False):
            r, c = row * 16 + 8, column * 4
            wall[r : r + 3, c : c + 3] = colours[random.integers(3)]
    return wall


def packet(random: np.random.Generator) -> Field:
    """Printed cardboard: a band, a badge, lines of small print."""
    y, x = _grid()
    print_ = np.full((SIDE, SIDE, 3), 0.95)
    print_[(y > 0.55) & (y < 0.85)] = (0.45, 0.45, 0.45)
    print_[np.hypot(x - 0.5, y - 0.3) < 0.2] = (0.62, 0.62, 0.62)
    lines = (y > 0.88) & ((y * 64) % 1 < 0.5) & (_cloud(random, (128, 32)) > 0.35)
    print_[lines] = 0.25
    return print_


def machined(random: np.random.Generator) -> Field:
    """Turned and sand-blasted metal."""
    y, _ = _grid()
    turned = 0.5 + 0.5 * np.sin(2 * np.pi * 40 * y + 3 * _cloud(random, (4, 4)))
    return _paint(0.5 * turned + 0.5 * _brushed(random), (0.62, 0.62, 0.62), (1.0, 1.0, 1.0))


# Flat ones lie on tables and walls; skins go round objects, as cube maps.
FLAT: tuple[Callable[[np.random.Generator], Field], ...] = (
    hazard_bench, concrete, corrugated, oak, metro_tiles, terracotta, breadboard, server_rack,
)  # fmt: skip
SKINS: tuple[Callable[[np.random.Generator], Field], ...] = (packet, machined)


@cache
def flat() -> dict[str, Picture]:
    return {draw.__name__: _picture(draw) for draw in FLAT}


@cache
def skins() -> dict[str, Picture]:
    """One face each, half as large."""
    return {draw.__name__: _picture(draw)[::2, ::2].copy() for draw in SKINS}


def _picture(draw: Callable[[np.random.Generator], Field]) -> Picture:
    return (255 * np.clip(draw(_rng(draw.__name__)), 0, 1)).astype(np.uint8)

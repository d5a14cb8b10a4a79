"""A pool of small textures, drawn once from a fixed seed; episodes choose among them.

Two kinds: `surface` textures lie flat on tables, walls and floors, `skin` textures are cube maps
that go round objects of any shape. A person's own pictures join the surfaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from policy.contract import ContractError, Problem

Picture = npt.NDArray[np.uint8]
SURFACES, SKINS = 24, 24
SIDE = 128
SEED = 20180627
KINDS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def add_pool(spec: mujoco.MjSpec, own: Sequence[str]) -> None:
    """Textures surface0.. and skin0.. in the model."""
    random = np.random.default_rng(SEED)
    pictures = [draw(random, SIDE) for _ in range(SURFACES)] + own_pictures(own)
    for number, picture in enumerate(pictures):
        texture = spec.add_texture(name=f"surface{number}", type=mujoco.mjtTexture.mjTEXTURE_2D)
        _fill(texture, picture)
    for number in range(SKINS):
        texture = spec.add_texture(name=f"skin{number}", type=mujoco.mjtTexture.mjTEXTURE_CUBE)
        _fill(texture, np.concatenate([draw(random, SIDE // 2)] * 6))


def _fill(texture: mujoco.MjsTexture, picture: Picture) -> None:
    texture.height, texture.width, texture.nchannel = picture.shape
    texture.data = picture.tobytes()


def own_pictures(sources: Sequence[str]) -> list[Picture]:
    """Picture files, or folders of them, reduced to the pool's size."""
    found = []
    for number, source in enumerate(sources):
        path = Path(source)
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in KINDS) if path.is_dir() else [path]  # fmt: skip
        pictures = [cv2.imread(str(file)) if file.is_file() else None for file in files]
        if not files or any(picture is None for picture in pictures):
            bad = [
                str(f) for f, p in zip(files, pictures, strict=True) if p is None
            ] or "no picture"
            wanted = f"pictures ({', '.join(sorted(KINDS))}), or folders of them"
            problem = Problem(f"scene.textures.{number}", bad, wanted, f"correct the path {source}")
            raise ContractError("scene", [problem])
        for picture in pictures:
            small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            found.append(np.ascontiguousarray(small[..., ::-1], np.uint8))
    return found


def draw(random: np.random.Generator, side: int) -> Picture:
    """One of several patterns in two random greys or colours; tints come with the material."""
    pattern = PATTERNS[random.integers(len(PATTERNS))](random, side)[..., None]
    base = random.uniform(0.35, 1.0, 3)
    other = base * random.uniform(0.5, 0.95) if random.random() < 0.6 else random.uniform(0.2, 1, 3)
    mixed = pattern * base + (1 - pattern) * other
    return (255 * np.clip(mixed, 0, 1)).astype(np.uint8)


def _noise(random: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    """Octaves of smoothed noise that tile: clouds, stone, cloth."""
    total, weight = np.zeros((side, side)), 0.0
    for octave in range(random.integers(2, 6)):
        cells = min(2 ** (octave + random.integers(1, 3)), side)
        coarse = np.pad(random.random((cells, cells)), 1, mode="wrap")
        scale = side // cells
        fine = cv2.resize(coarse, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += fine[scale : scale + side, scale : scale + side] * 0.6**octave
        weight += 0.6**octave
    return np.clip(total / weight, 0, 1)


def _wave(random: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    """Stripes of a whole number of periods, bent by noise: wood, brushed metal."""
    y, x = np.mgrid[0:side, 0:side] / side
    a, b = random.integers(0, 9, 2)
    bend = random.uniform(0, 1.2) * _noise(random, side)
    return 0.5 + 0.5 * np.sin(2 * np.pi * (a * x + (b + 1) * y + bend))


def _checker(random: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[0:side, 0:side] * int(2 ** random.integers(1, 4)) // side
    return ((x + y) % 2).astype(float)


def _dots(random: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    n = int(2 ** random.integers(1, 4))
    y, x = (np.mgrid[0:side, 0:side] * n / side) % 1 - 0.5
    return (np.hypot(x, y) < random.uniform(0.15, 0.4)).astype(float)


def _grain(random: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    return np.clip(0.5 + random.uniform(0.05, 0.25) * random.normal(size=(side, side)), 0, 1)


PATTERNS: tuple[Callable[[np.random.Generator, int], npt.NDArray[np.float64]], ...] = (
    _noise,
    _wave,
    _checker,
    _dots,
    _grain,
    _noise,
)

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

from . import stagecraft

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
SURFACES, SKINS = 24, 24
SIDE = 128
SEED = 20180627
KINDS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def add_pool(spec: mujoco.MjSpec, own: Sequence[str]) -> None:
    """Textures surface0.. and skin0.. in the model, and the presets' by their names."""
    random = np.random.default_rng(SEED)
    pictures = [draw(random, SIDE) for _ in range(SURFACES)] + own_pictures(own)
    for number, picture in enumerate(pictures):
        texture = spec.add_texture(name=f"surface{number}", type=mujoco.mjtTexture.mjTEXTURE_2D)
        _fill(texture, picture)
    for number in range(SKINS):
        texture = spec.add_texture(name=f"skin{number}", type=mujoco.mjtTexture.mjTEXTURE_CUBE)
        _fill(texture, np.concatenate([draw(random, SIDE // 2)] * 6))
    # The twin's presets have theirs by name, out of randomisation's reach.
    for name, picture in stagecraft.flat().items():
        _fill(spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D), picture)
    for name, face in stagecraft.skins().items():
        texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_CUBE)
        _fill(texture, np.concatenate([face] * 6))


def _fill(texture: mujoco.MjsTexture, picture: Picture) -> None:
    texture.height, texture.width, texture.nchannel = picture.shape
    texture.data = picture.tobytes()


def own_pictures(sources: Sequence[str]) -> list[Picture]:
    """Picture files, or folders of them, reduced to the pool's size."""
    found: list[Picture] = []
    for number, source in enumerate(sources):
        path = Path(source)
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files = [file for file in inside if file == path or file.suffix.lower() in KINDS]
        read = {file: cv2.imread(str(file)) if file.is_file() else None for file in files}
        pictures = [picture for picture in read.values() if picture is not None]
        if not files or len(pictures) < len(files):
            bad = [str(file) for file, picture in read.items() if picture is None] or "no picture"
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


def _noise(random: np.random.Generator, side: int) -> Array:
    """Octaves of smoothed noise that tile: clouds, stone, cloth."""
    total: Array = np.zeros((side, side))
    weight = 0.0
    for octave in range(int(random.integers(2, 6))):
        cells: int = min(2 ** (octave + int(random.integers(1, 3))), side)
        coarse: Array = np.pad(random.random((cells, cells)), ((1, 1), (1, 1)), mode="wrap")
        scale = side // cells
        fine = cv2.resize(coarse, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += fine[scale : scale + side, scale : scale + side] * 0.6**octave
        weight += 0.6**octave
    clipped: Array = np.clip(total / weight, 0, 1)
    return clipped


def _wave(random: np.random.Generator, side: int) -> Array:
    """Stripes of a whole number of periods, bent by noise: wood, brushed metal."""
    y, x = np.mgrid[0:side, 0:side] / side
    a, b = random.integers(0, 9, 2)
    bend = random.uniform(0, 1.2) * _noise(random, side)
    wave: Array = 0.5 + 0.5 * np.sin(2 * np.pi * (a * x + (b + 1) * y + bend))
    return wave


def _checker(random: np.random.Generator, side: int) -> Array:
    y, x = np.mgrid[0:side, 0:side] * int(2 ** random.integers(1, 4)) // side
    squares: Array = ((x + y) % 2).astype(float)
    return squares


def _dots(random: np.random.Generator, side: int) -> Array:
    n = int(2 ** random.integers(1, 4))
    y, x = (np.mgrid[0:side, 0:side] * n / side) % 1 - 0.5
    dots: Array = (np.hypot(x, y) < random.uniform(0.15, 0.4)).astype(float)
    return dots


def _grain(random: np.random.Generator, side: int) -> Array:
    strength = random.uniform(0.05, 0.25)
    grain: Array = np.clip(0.5 + strength * random.normal(size=(side, side)), 0, 1)
    return grain


PATTERNS: tuple[Callable[[np.random.Generator, int], Array], ...] = (
    _noise,
    _wave,
    _checker,
    _dots,
    _grain,
    _noise,
)

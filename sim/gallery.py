"""Sheets of what the cell can look like: `python -m sim.gallery OUT.png [--page ...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from calibration import load_cell
from policy.contract import ContractError, Invalid
from policy.experience.pictures import captioned, headed, stacked, write_picture

from .camera import Picture
from .config import ObjectConfig, RandomConfig
from .env import TWIN, BinGrasp
from .frames import CAMERA, FINE, Frames
from .presets import PRESETS
from .presets import episode as in_room

GAP = 30  # px, between what stands side by side
SMALL, LARGE = 160, (360, 480)
MEASURED = "as measured"


def randomised(cell: Path, seed: int, rows: int = 4, columns: int = 6) -> Picture:
    """As a policy sees them, episode by episode."""
    with _open(cell, RandomConfig()) as env:
        seeds = [[seed + row * columns + k for k in range(columns)] for row in range(rows)]
        tiles = [
            [captioned(env.reset(seed=k)[0][CAMERA], f"seed {k}") for k in row] for row in seeds
        ]
    return headed(["randomised"], [np.hstack(row) for row in tiles])


def presets(cell: Path, seed: int, columns: int = 3) -> Picture:
    """As a policy sees them: what it is trained around, and each of the twin's presets."""
    rows = []
    with _open(cell) as env:
        for name in (None, *PRESETS):
            seen = [_first(env, seed + k, name) for k in range(columns)]
            rows.append(np.hstack([captioned(picture, name or MEASURED) for picture in seen]))
    return headed(["not randomised; twin presets"], rows)


def sheet(cell: Path, seed: int) -> Picture:
    left, right = randomised(cell, seed), presets(cell, seed)
    height = max(left.shape[0], right.shape[0])
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.hstack([_deepen(left, height), gap, _deepen(right, height)])


def default(cell: Path, seed: int) -> Picture:
    """The cell as measured: the camera's full frame, and the whole of it from aside."""
    with _open(cell) as env:
        env.reset(seed=seed)
        return np.hstack(
            [
                captioned(_frame(env), f"camera {CAMERA}, the full frame"),
                captioned(_frame(env, aside=True), f"cell {env.cell.id}, arm {env.cell.arm.model}"),
            ]
        )


def large_presets(cell: Path, seed: int) -> Picture:
    """Full frames: as measured, and each preset."""
    tiles = []
    with _open(cell) as env:
        for name in (None, *PRESETS):
            _first(env, seed, name)
            tiles.append(captioned(_frame(env), name or MEASURED))
    return stacked([np.hstack(tiles[k : k + 2]) for k in range(0, len(tiles), 2)])


def arms(cells: Sequence[Path], seed: int) -> Picture:
    """One row a cell: the whole of it, and what its camera sees."""
    return stacked([default(cell, seed) for cell in cells])


def _first(env: BinGrasp, seed: int, name: str | None) -> Picture:
    """An episode's first observation in that room, or the cell as measured."""
    parameters = in_room(name, env.cell, seed, env.objects)
    seen, _ = env.reset(seed=seed, options={"parameters": parameters})
    found: Picture = seen[CAMERA]
    return found


def _frame(env: BinGrasp, aside: bool = False) -> Picture:
    frames = Frames(env, LARGE, aside)
    try:
        return frames.take()
    finally:
        frames.close()


@contextmanager
def _open(cell: Path, randomize: RandomConfig | None = None) -> Iterator[BinGrasp]:
    env = BinGrasp(cell, SMALL, randomize=randomize, objects=ObjectConfig((4, 10)), scene=FINE)
    try:
        yield env
    finally:
        env.close()  # the next one's drawer is another


def _deepen(picture: Picture, height: int) -> Picture:
    missing = height - picture.shape[0]
    return np.pad(picture, ((0, missing), (0, 0), (0, 0)), constant_values=255)


PAGES: dict[str, Callable[[Path, int], Picture]] = {
    "sheet": sheet,
    "default": default,
    "randomised": randomised,
    "presets": large_presets,
    "arms": lambda cell, seed: arms([cell], seed),
}


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim.gallery", description=__doc__)
    top.add_argument("out", type=Path, help="PNG or JPEG file")
    top.add_argument("--page", choices=PAGES, default="sheet")
    top.add_argument("--cell", type=Path, action="append", help="cell file; several for `arms`")
    top.add_argument("--seed", type=int, default=0)
    a = top.parse_args(argv)
    cells = a.cell or [TWIN]
    try:
        for cell in cells:
            load_cell(cell)
        write_picture(
            a.out, arms(cells, a.seed) if a.page == "arms" else PAGES[a.page](cells[0], a.seed)
        )
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{a.page} in {a.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

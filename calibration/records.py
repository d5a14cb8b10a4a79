"""What a camera saw of the board, and where the arm was: plain JSON, so that a calibration can be
done again, elsewhere and later."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid, Strict, decode_json, encode
from policy.contract.files import write_atomic

from .board import Board, View
from .geometry import rotation
from .rigid import quaternion, rigid

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sighting(Strict):
    """`tcp` is x, y, z (m) and the quaternion x, y, z, w in the base frame; null where only the
    camera's lens is calibrated."""

    ids: tuple[int, ...]
    corners: tuple[tuple[float, float], ...]
    tcp: tuple[float, float, float, float, float, float, float] | None = None

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.corners):
            found = f"{len(self.ids)} ids, {len(self.corners)} corners"
            raise Invalid("corners", found, "one corner for each id", "record the view again")

    @classmethod
    def of(cls, view: View, tcp: Array | None = None) -> Sighting:
        corners = tuple((float(x), float(y)) for x, y in view.corners)
        return cls(
            tuple(int(one) for one in view.ids), corners, None if tcp is None else seven(tcp)
        )

    @property
    def view(self) -> View:
        return View(np.array(self.ids, np.int64), np.array(self.corners, float).reshape(-1, 2))


@dataclass(frozen=True)
class Record(Strict):
    board: Board
    width: int
    height: int
    sightings: tuple[Sighting, ...]

    @property
    def views(self) -> list[View]:
        return [one.view for one in self.sightings]

    @property
    def tcp(self) -> list[Array]:
        """Of each sighting (4, 4)."""
        missing = [number for number, one in enumerate(self.sightings) if one.tcp is None]
        if missing:
            found = f"none in {missing}"
            raise Invalid("sightings.tcp", found, "a pose in each", "record views with the arm")
        return [motion(one.tcp) for one in self.sightings if one.tcp is not None]


@dataclass(frozen=True)
class TouchFile(Strict):
    """Where the TCP touched what, base frame, m: `binfit.Touches` on disk."""

    floor: tuple[tuple[float, float, float], ...]
    walls: tuple[tuple[float, float, float], ...]
    rim: tuple[tuple[float, float, float], ...]
    table: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class PivotFile(Strict):
    """TCP poses (x, y, z, quaternion) as the arm tells them, the tip on one point in all."""

    tcp: tuple[tuple[float, float, float, float, float, float, float], ...]


def seven(pose: Array) -> tuple[float, float, float, float, float, float, float]:
    """Position and quaternion of a pose (4, 4)."""
    x, y, z, a, b, c, d = (float(v) for v in (*pose[:3, 3], *quaternion(pose)))
    return x, y, z, a, b, c, d


def motion(pose: Iterable[float]) -> Array:
    numbers = np.array(list(pose))
    return rigid(rotation(numbers[3:]), numbers[:3])


def save_record(record: Record, path: Path) -> None:
    write_atomic(path, (json.dumps(encode(record)) + "\n").encode())


def load_record(path: Path) -> Record:
    return decode_json(Record, path.read_text(), str(path))

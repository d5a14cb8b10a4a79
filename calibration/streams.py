"""What arm, gripper and camera told while the arm moved, and what they were commanded: one .npz of
plain arrays, so that latencies and dynamics can be found again, elsewhere and later."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid
from policy.contract.files import write_atomic

Array = npt.NDArray[np.float64]


def none() -> Array:
    return np.zeros((0, 8))


@dataclass(frozen=True)
class Streams:
    """A row a message, its first column the time (s, of one clock). What was not recorded has no
    rows.

    tcp       x, y, z (m) and quaternion x, y, z, w in the base frame
    commands  when sent; linear (m/s), then angular (rad/s) velocity
    joints    an angle (rad) a joint, then a torque (N*m) a joint
    gripper   width (m)
    grips     when sent; width wanted (m)
    pictures  when it arrived; how far (px) to the right and down since the first
    """

    tcp: Array = field(default_factory=none)
    commands: Array = field(default_factory=none)
    joints: Array = field(default_factory=none)
    gripper: Array = field(default_factory=none)
    grips: Array = field(default_factory=none)
    pictures: Array = field(default_factory=none)

    def __post_init__(self) -> None:
        for one in fields(self):
            stream: Array = getattr(self, one.name)
            fine = stream.ndim == 2 and np.isfinite(stream).all()
            if not fine or (np.diff(stream[:, 0]) < 0).any():
                wanted = "finite rows in the order of time"
                raise Invalid(one.name, f"an array {stream.shape}", wanted, "record it again")

    def needs(self, *names: str) -> None:
        missing = [name for name in names if not len(getattr(self, name))]
        if missing:
            found, wanted = f"none of {', '.join(missing)}", f"a record with {', '.join(names)}"
            raise Invalid("streams", found, wanted, "record what is wanted, too")


def save_streams(streams: Mapping[str, npt.ArrayLike], path: Path) -> None:
    packed = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(rows) for name, rows in streams.items()}
    np.savez_compressed(packed, **arrays)
    write_atomic(path, packed.getvalue())


def load_streams(path: Path) -> Streams:
    known = {one.name for one in fields(Streams)}
    with np.load(path, allow_pickle=False) as file:
        strange = sorted(set(file.files) - known)
        if strange:
            wanted = f"only {', '.join(sorted(known))}"
            raise Invalid(str(path), f"a stream {strange[0]}", wanted, "record it anew")
        return Streams(**{name: np.asarray(file[name], np.float64) for name in file.files})

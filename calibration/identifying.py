"""What `python -m calibration latency`, `dynamics` and `images` do: from a record of the moving
cell, or from pictures, to the cell file. The file changes only with `--write`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from . import entries
from .board import Picture
from .cell import Cell
from .cellfile import load_cell
from .commands import camera_named, picture_at, put
from .dynamics import Joints, Motion, identify, unexplained
from .image_statistics import noise, spread, vignetting, white_balance
from .late import late
from .streams import load_streams

Array = npt.NDArray[np.float64]
PAYLOAD = "hand"  # the body that the arm carries, in the simulator's model
HELD_OUT = 0.2  # of the motion, its end
LEAST = 0.05  # of a range's middle: no camera is steadier over a day


def latency(a: Namespace) -> None:
    """Of whatever the record has."""
    load_cell(a.cell)
    values, lines = late(load_streams(a.log))
    print("\n".join(lines))
    put(a, values)


def dynamics(a: Namespace) -> None:
    """Fitted on the first four fifths, held against the rest."""
    cell, streams = load_cell(a.cell), load_streams(a.log)
    streams.needs("joints")
    model = mujoco.MjModel.from_xml_path(str(a.model))
    joints, count = streams.joints, cell.arm.joints
    if joints.shape[1] != 1 + 2 * count:
        wanted = f"a time, {count} angles and {count} torques"
        raise Invalid("joints", f"{joints.shape[1]} columns", wanted, "record efforts as well")
    end = round((1 - HELD_OUT) * len(joints))
    fitted, rest = (_motion(part, count) for part in (joints[:end], joints[end:]))
    found = identify(fitted, model, PAYLOAD)
    for number in range(count):
        print(
            f"joint {number}: damping {found.damping[number]:.3f} N*m*s/rad, friction "
            f"{found.friction[number]:.3f} N*m, armature {found.armature[number]:.4f} kg*m^2"
        )
    print(f"payload {found.payload:.3f} kg (sd {found.errors[3]:.3f})")
    after = unexplained(rest, model, PAYLOAD, found)
    if cell.dynamics is not None:
        before = unexplained(rest, model, PAYLOAD, _known(cell, found))
        print(f"held out: {after:.3f} N*m unexplained, {before:.3f} by the cell file")
        if not after < before:
            wanted = f"less than the {before:.3f} N*m that the cell file leaves"
            raise Invalid("dynamics", f"{after:.3f} N*m unexplained", wanted, "excite more")
    put(a, entries.dynamics(found))


def images(a: Namespace) -> None:
    name = camera_named(load_cell(a.cell), a.camera)
    still, even, day = (_pictures(paths) for paths in (a.still, a.even, a.day))
    if day and a.grey is None:
        raise Invalid("--grey", None, "top left height width of a grey surface", "say where it is")
    balances = white_balance(day, tuple(a.grey)).T if day else ()
    ranges = [spread(one, LEAST) for one in balances]  # of red and of blue: the wider counts
    put(a, entries.images(
        name, noise(still) if still else None, vignetting(even) if even else None,
        max(ranges, key=lambda one: one[0][1] - one[0][0]) if ranges else None,
        spread(a.exposures, LEAST) if a.exposures else None,
    ))  # fmt: skip


def _motion(rows: Array, count: int) -> Motion:
    """Evenly sampled: what came late is put where it belongs."""
    times = np.linspace(rows[0, 0], rows[-1, 0], len(rows))
    columns = [np.interp(times, rows[:, 0], line) for line in rows[:, 1:].T]
    even = np.column_stack(columns)
    return Motion(times, even[:, :count], even[:, count:])


def _known(cell: Cell, found: Joints) -> Joints:
    assert cell.dynamics is not None
    parts = (cell.dynamics.damping, cell.dynamics.friction, cell.dynamics.armature)
    damping, friction, armature = (np.array(part.value) for part in parts)
    payload = cell.dynamics.payload.value
    return Joints(damping, friction, armature, payload, found.errors, found.skew, found.residual)


def _pictures(paths: Sequence[Path]) -> list[Picture]:
    """RGB."""
    return [np.ascontiguousarray(picture_at(path)[..., ::-1]) for path in paths]

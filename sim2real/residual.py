"""How far the simulated arm is from where the cell's was, doing the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy.contract import Invalid
from policy.experience.log import open_index, read_episode

from .kinematics import tracked

Numbers = npt.NDArray[np.float64]
FREE = 0.1  # m above the bin's floor, of both: lower, the cell's hand may have touched something


@dataclass(frozen=True)
class Residual:
    """A number a step, above what lies in the bin."""

    apart: Numbers  # mm, of the TCP
    turned: Numbers  # degrees, of its yaw
    moved: Numbers  # mm, what the cell's arm moved in that step


def residual(cell: Path, replayed: Path) -> Residual:
    """`replayed` is what `sim.replay` made of the cell's log."""
    apart, turned, moved = [], [], []
    with open_index(cell) as index:
        logged = {entry.episode_id: entry.path for entry in index}
    with open_index(replayed) as index:
        entries = list(index)
    for entry in entries:
        again = read_episode(entry.path)
        origin = again.info.parameters.get("replayed")
        if origin not in logged:
            wanted = f"what sim.replay made of {cell}"
            raise Invalid(f"{entry.path}: parameters.replayed", origin, wanted, "replay that log")
        ours, theirs = tracked(again), tracked(read_episode(logged[origin]))
        steps = min(len(ours), len(theirs))  # a replay may end sooner: at what it takes for success
        ours, theirs = ours[:steps], theirs[:steps]
        free = (ours[1:, 2] > FREE) & (theirs[1:, 2] > FREE)
        off = ours - theirs
        apart.append(1e3 * np.linalg.norm(off[1:, :3], axis=1)[free])
        turned.append(np.degrees(np.abs(off[1:, 3]))[free])
        moved.append(1e3 * np.linalg.norm(np.diff(theirs[:, :3], axis=0), axis=1)[free])
    found = Residual(*(np.concatenate(one or [np.zeros(0)]) for one in (apart, turned, moved)))
    if not len(found.apart):
        wanted = f"some steps more than {FREE} m above the bin's floor"
        raise Invalid(f"log {replayed}", "none", wanted, "replay more episodes")
    return found

"""The motions of a log once more, in the simulator of a cell file.

    python -m sim.replay out/robot out/replayed --cell calibration/cells/twin.yaml
    python -m sim2real.gap out/sim out/robot --replayed out/replayed

Each episode begins where the log's began, and does what was done then, over an empty bin: where
the two part, one of them is wrong about the arm, or something was touched.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from policy.contract import ContractError, differences
from policy.experience.episode import Episode, EpisodeInfo, FloatArray
from policy.experience.log import open_index, read_episode
from policy.experience.telling import exit_code

from .env import TWIN, BinGrasp
from .parameters import nominal
from .rollout import TASK, write

PLACE = ("tcp_x", "tcp_y", "tcp_height", "tcp_yaw")


class Again:
    """Does what was done."""

    def __init__(self, episode: Episode) -> None:
        self._actions: Iterator[FloatArray] = iter(episode.executed[1:])

    def act(self) -> FloatArray:
        return next(self._actions)


def replay(log: Path, out: Path, cell: Path, most: int | None = None) -> int:
    """Adds the log's first episodes that are not there yet; returns how many."""
    env = BinGrasp(cell, cameras=())
    parameters = nominal(env.cell, ())
    out.mkdir(parents=True, exist_ok=True)
    with open_index(log) as index, open_index(out) as done:
        had = {entry.episode_id for entry in done}
        entries = {_name(entry.episode_id, env): entry for entry in list(index)[:most]}
    new = [name for name in entries if name not in had]
    for name in tqdm(new, "replaying", unit=" episodes"):
        episode = read_episode(entries[name].path)
        _require_same(episode, env)
        env.grasp = replace(env.grasp, max_steps=len(episode))
        options = {"parameters": parameters, "start": _start(episode, env)}
        seen, _ = env.reset(seed=0, options=options)
        info = EpisodeInfo(
            env.interface,
            episode.info.source,
            task=TASK,
            cell_id=env.cell.id,
            cell_fingerprint=env.cell.fingerprint,
            parameters={"replayed": episode.info.episode_id},
            episode_id=name,
        )
        write(env, seen, Again(episode), "replay", info, out)
    env.close()
    return len(new)


def _name(episode_id: str, env: BinGrasp) -> str:
    """By the episode and the cell that it is played in."""
    digest = hashlib.sha256(episode_id.encode()).hexdigest()
    return f"replayed-{env.cell.fingerprint[:8]}-{digest[:16]}"


def _require_same(episode: Episode, env: BinGrasp) -> None:
    """All but the cameras."""
    logged = episode.info.interface
    told = replace(logged, observation=replace(logged.observation, images=()))
    found = list(differences(told, env.interface, "name the file of the cell it was logged in"))
    if found:
        raise ContractError(episode.info.episode_id, found)


def _start(episode: Episode, env: BinGrasp) -> tuple[FloatArray, float]:
    names = [entry.name for entry in env.interface.observation.proprio]
    x, y, height, yaw = (float(episode.proprio[0, names.index(name)]) for name in PLACE)
    return np.array([x, y, height + env.cell.bin.centre.value[2]]), yaw


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim.replay", description=__doc__)
    top.add_argument("log", type=Path, help="whose motions")
    top.add_argument("out", type=Path, help="the log to make, or to add to")
    top.add_argument("--cell", type=Path, default=TWIN, help="cell file")
    top.add_argument("--episodes", type=int, help="of the log, the first so many (default: all)")
    a = top.parse_args(argv)

    def work() -> None:
        added = replay(a.log, a.out, a.cell, a.episodes)
        print(f"{added} episodes added to {a.out}")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())

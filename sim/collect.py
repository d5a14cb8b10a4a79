"""Write grasp episodes into an experience log: `python -m sim.collect OUT --episodes 1200`.

Killed at any moment, the same command continues: an episode's id is made of what determines it,
the configuration and its seed, so that what is there already is known, and nothing is there twice.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from policy.contract import Invalid, encode
from policy.experience.log.collected import collected
from policy.experience.log.index import Entry
from policy.experience.log.logfile import PART
from policy.experience.telling import exit_code

from .canonical import PairedGrasp
from .config import RandomConfig
from .env import TWIN, BinGrasp
from .presets import PRESETS
from .rollout import SOURCES, record
from .workers import WorkerError, Workers, cores


@dataclass(frozen=True)
class Collection:
    """What determines an episode, its seed aside."""

    cell: Path = TWIN
    policy: str = "scripted"
    size: int = 96
    cameras: tuple[str, ...] = ("front",)
    randomize: bool = True
    room: str | None = None  # of presets.py; nothing is randomised there
    canonical: bool = False  # beside each picture, what canonical.py says

    def env(self) -> BinGrasp:
        randomize = RandomConfig() if self.randomize else None
        kind = PairedGrasp if self.canonical else BinGrasp
        return kind(self.cell, self.size, self.cameras, randomize=randomize, room=self.room)

    def prefix(self, env: BinGrasp) -> str:
        """Of the ids of its episodes; the seed follows."""
        what = [env.cell.fingerprint, env.interface, env.randomize, env.objects, env.grasp]
        what += [env.world.config, *([self.room] if self.room else [])]
        text = json.dumps([encode(part) for part in what], sort_keys=True)
        return f"{self.policy}-{hashlib.sha256(text.encode()).hexdigest()[:8]}-"


@contextmanager
def _collector(
    _: int, directory: Path, collection: Collection
) -> Iterator[Callable[[int], tuple[int, bool]]]:
    """Answers a seed with its episode's number of actions, and whether it succeeded."""
    with _claimed(directory, fcntl.LOCK_SH):
        env = collection.env()
        prefix = collection.prefix(env)
        try:
            yield lambda seed: record(
                env,
                collection.policy,
                seed,
                directory,
                f"{prefix}{seed:09d}",
            )
        finally:
            env.close()


@contextmanager
def _claimed(directory: Path, how: int) -> Iterator[int]:
    """Hold the directory: workers share it, and who looks at what is there waits until those of a
    killed run have ended."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield handle
    finally:
        os.close(handle)


def present(directory: Path, env: BinGrasp, prefix: str) -> dict[int, Entry]:
    """The collection's finished episodes by seed."""
    entries = collected(directory, env.interface)
    return {entry.seed: entry for entry in entries if entry.episode_id.startswith(prefix)}


def collect(
    directory: Path,
    collection: Collection,
    *,
    episodes: int | None = None,
    transitions: int | None = None,
    seed: int = 0,
    processes: int = 1,
) -> dict[int, Entry]:
    """Add what is missing to `episodes` of them, or to as many transitions; returns all there
    are from `seed` on."""
    counted = {"episodes": episodes, "transitions": transitions, "processes": processes}
    for field, value in counted.items():
        if value is not None and value < 1:
            raise Invalid(field, value, "1 or more", "say how many")
    if not 0 <= seed < 10**9:
        raise Invalid("seed", seed, "0 to 999999999", "it numbers the episodes")
    env = collection.env()  # what is wrong with the configuration is found here
    prefix = collection.prefix(env)
    last = seed + episodes if episodes else 10**9
    directory.mkdir(parents=True, exist_ok=True)

    def of_ours() -> dict[int, Entry]:
        return {k: e for k, e in present(directory, env, prefix).items() if seed <= k < last}

    with _claimed(directory, fcntl.LOCK_EX) as claim:
        for torn in directory.glob(f"{prefix}*{PART}"):
            torn.unlink()  # its seed will make it again
        had = of_ours()
        count = Count(episodes, transitions, had)
        if count.enough(0):
            return had
        fcntl.flock(claim, fcntl.LOCK_SH)
        names = [f"worker {number}" for number in range(processes)]
        todo = (k for k in itertools.count(seed) if k not in had)
        with Workers(names, _collector, directory, collection) as workers:
            _work(workers, list(range(processes)), todo, count)
    return of_ours()


def _work(workers: Workers, idle: list[int], todo: Iterator[int], count: Count) -> None:
    working = 0
    with count.bar() as bar:
        while True:
            while idle and not count.enough(working):
                workers.send(idle.pop(), next(todo))
                working += 1
            if not working:
                return
            for number, (steps, success) in workers.ready():
                idle.append(number)
                working -= 1
                bar.update(count.add(steps, success))
                bar.set_postfix(success=f"{count.successes / count.episodes:.1%}")


class Count:
    """How much there is, and how much there is to be."""

    def __init__(
        self, episodes: int | None, transitions: int | None, had: dict[int, Entry]
    ) -> None:
        self._wanted = (episodes, transitions)
        self.episodes = len(had)
        self.transitions = sum(entry.steps for entry in had.values())
        self.successes = sum(entry.success is True for entry in had.values())

    def bar(self) -> Any:
        episodes, transitions = self._wanted
        so_far = self.episodes if episodes else self.transitions
        unit = " episodes" if episodes else " transitions"
        return tqdm(desc="collecting", total=episodes or transitions, initial=so_far, unit=unit)

    def enough(self, working: int) -> bool:
        episodes, transitions = self._wanted
        if episodes:
            return self.episodes + working >= episodes
        return self.transitions >= (transitions or 0)

    def add(self, steps: int, success: bool) -> int:
        self.episodes += 1
        self.transitions += steps
        self.successes += success
        return 1 if self._wanted[0] else steps


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m sim.collect", description=__doc__)
    top.add_argument("out", type=Path, help="directory of the log; made, or continued")
    much = top.add_mutually_exclusive_group(required=True)
    much.add_argument("--episodes", type=int)
    much.add_argument("--transitions", type=int, help="and the episodes under way when it is met")
    top.add_argument("--policy", choices=SOURCES, default="scripted")
    top.add_argument("--size", type=int, default=96, help="of a picture, px (default 96)")
    top.add_argument("--processes", type=int, default=cores(), help="default: one a core")
    top.add_argument("--cameras", nargs="+", default=["front"], help="default: front")
    top.add_argument("--randomize", action=argparse.BooleanOptionalAction, default=True)
    top.add_argument("--room", choices=PRESETS, help="in a twin's room, none of it randomised")
    top.add_argument("--canonical", action="store_true", help="each picture also as if it were not")
    top.add_argument("--seed", type=int, default=0, help="of the first episode; then counted up")
    top.add_argument("--cell", type=Path, default=TWIN, help="cell file")
    return top


def main(argv: list[str] | None = None) -> int:
    a = parser().parse_args(argv)
    randomize = a.randomize and a.room is None
    collection = Collection(
        a.cell, a.policy, a.size, tuple(a.cameras), randomize, a.room, a.canonical
    )
    started = time.perf_counter()

    def work() -> None:
        found = collect(
            a.out,
            collection,
            episodes=a.episodes,
            transitions=a.transitions,
            seed=a.seed,
            processes=a.processes,
        )
        successes = sum(entry.success is True for entry in found.values())
        print(
            f"{len(found)} episodes, {sum(e.steps for e in found.values())} transitions, "
            f"success {successes / len(found):.1%}; {time.perf_counter() - started:.0f} s"
        )

    try:
        return exit_code(work)
    except WorkerError as error:
        print(f"{error}\nwhat is finished is kept; the same command continues", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

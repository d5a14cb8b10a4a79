"""Rendered environment steps a second, against gym-hil's and robosuite's Panda tasks.

    python -m benchmarks.simulation --gym-hil PYTHON --robosuite PYTHON [--sizes 64 128 256]

PYTHON is an interpreter that has the peer: their requirements clash with ours and each other's.
A call is one step with a uniformly random action, one square picture from one camera, and the
reset where the episode ended. All draw with EGL on the CPU, a thread a process, without
multisampling; with shadows, one light casts them, into a map of as many pixels for everyone.
Scenes, arms, episode lengths and control rates are each contender's own, so that both steps and
simulated seconds a second are told.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from benchmarks.harness import Comparison, Worker, compare, save, table

RESULT = Path(__file__).with_name("results") / "simulation.json"
ENVIRONMENT = {
    "MUJOCO_GL": "egl",
    "LP_NUM_THREADS": "0",  # Mesa's drawing threads would mix up one process and two
    "PYTHONPATH": str(Path(__file__).parent.parent),  # the peers' interpreters find the harness
}
SHADOW_MAP = 1024


def contenders(gym_hil: str | None, robosuite: str | None) -> dict[str, list[str]]:
    """Commands, but for size and shadows."""
    commands = {"regrasp": [sys.executable, "-m", "benchmarks.regrasp_worker"]}
    if gym_hil:
        commands["gym-hil"] = [gym_hil, "-m", "benchmarks.peers.gym_hil_worker"]
    if robosuite:
        for task in ("Lift", "PickPlaceCan"):  # its lightest, and its nearest to a bin
            command = [robosuite, "-m", "benchmarks.peers.robosuite_worker", task]
            commands[f"robosuite {task}"] = command
    return commands


def measure(
    commands: dict[str, list[str]], size: int, shadows: str, processes: int, rounds: int, calls: int
) -> Comparison:
    pixels = SHADOW_MAP if shadows == "on" else 0
    case = f"{size} px, shadows {shadows}, {processes} process{'es' if processes > 1 else ''}"
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker([*command, str(size), str(pixels)], processes))
            for name, command in commands.items()
        }
        return compare(case, workers, rounds, calls)


def rates(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Markdown: what the times come to, and where they go."""
    yield "| case | contender | steps/s | simulated s/s | physics steps a step | in rendering |"
    yield "|---|---|---|---|---|---|"
    for one in comparisons:
        for name, spread in one.seconds.items():
            told, rate = one.told[name], 1 / spread.median
            yield (
                f"| {one.case} | {name} | {rate:.1f} | {rate * told['period_s']:.2f} "
                f"| {told['substeps']} of {1e3 * told['timestep_s']:g} ms "
                f"| {told['drawing']['share']:.0%} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gym-hil", metavar="PYTHON", help="left out if not given")
    parser.add_argument("--robosuite", metavar="PYTHON", help="left out if not given")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--shadows", choices=["off", "on"], nargs="+", default=["off", "on"])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=50, help="steps a round, of each process")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    commands = contenders(arguments.gym_hil, arguments.robosuite)
    comparisons = [
        measure(commands, size, shadows, processes, arguments.rounds, arguments.calls)
        for processes, shadows, size in product(
            arguments.processes, arguments.shadows, arguments.sizes
        )
    ]
    peers = f"--gym-hil PYTHON --robosuite PYTHON --rounds {arguments.rounds}"
    packages = ["gymnasium", "mujoco", "numpy"]
    save(arguments.out, comparisons, f"python -m benchmarks.simulation {peers}", packages)
    print(table(comparisons), *rates(comparisons), sep="\n")


if __name__ == "__main__":
    main()

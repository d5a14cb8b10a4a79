"""A decision's contenders at each size of picture: all of it that two races have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness import Comparison, Worker, compare_tails, save, serve, table

SIZES = (64, 128)  # px
Contender = Callable[[str, int], Callable[[], object]]  # by name and size: one call


def race(name: str, told: str | None, names: Sequence[str], make: Contender, calls: int) -> None:
    """The command line of `benchmarks.NAME`; the first of `names` is what others are held to."""
    module = f"benchmarks.{name}"
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=told)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=calls)
    parser.add_argument("--size", type=int, help="only this; else 64 and 128")
    result = Path(__file__).with_name("results") / f"{name}.json"
    parser.add_argument("--out", type=Path, default=result)
    parser.add_argument("--worker", choices=names, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.worker:
        serve(make(a.worker, a.size))
        return
    found: list[Comparison] = []
    for size in [a.size] if a.size else SIZES:
        command = [sys.executable, "-m", module, "--size", str(size), "--worker"]
        with ExitStack() as stack:
            workers = {one: stack.enter_context(Worker([*command, one])) for one in names}
            found += compare_tails(f"{size} px", workers, [names[0]], a.rounds, a.calls)
    command_line = f"python -m {module} --rounds {a.rounds} --calls {a.calls}"
    save(a.out, found, command_line, ["torch", "onnxruntime", "numpy"])
    print(table(found))

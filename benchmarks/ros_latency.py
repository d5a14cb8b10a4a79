"""How long a message takes between two processes, at 30 Hz, from numpy array to numpy array.

    python -m benchmarks.ros_latency

rosless, and real rclpy where it can be imported, against ZeroMQ and a ring in shared memory. One
way, by the stamps of one machine's clock; and there and back. What both processes' CPUs do for a
message is measured beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import rosless  # first: it makes rclpy importable where it is missing

from benchmarks.harness import Comparison, Worker, compare_tails, save, serve, table
from benchmarks.processes import busy_s
from benchmarks.ros_links import LINKS, SHAPES, Link

RESULT = Path(__file__).with_name("results") / "ros_latency.json"
PERIOD_S, FOR_CPU = 1 / 30, 90
WAYS = ("one way", "there and back")


def other(way: str, link: Link, shape: tuple[int, ...]) -> None:
    """The process on the other side: it sends when it is told to, or sends back."""
    frame = np.zeros(shape, np.uint8)
    while way != "one way" or os.read(sys.stdin.fileno(), 1):
        if way == "one way":
            link.send(frame, time.monotonic_ns())
        else:
            link.send(*link.receive())


def call(
    way: str, link: Link, shape: tuple[int, ...], tell: Callable[[bytes], object]
) -> Callable[[], float]:
    """Seconds of one message."""
    frame, due = np.zeros(shape, np.uint8), time.monotonic()

    def one() -> float:
        nonlocal due
        due = max(due + PERIOD_S, time.monotonic())
        time.sleep(max(due - time.monotonic(), 0))
        if way == "one way":
            tell(b"!")
        else:
            link.send(frame, time.monotonic_ns())
        _, stamp = link.receive()
        return (time.monotonic_ns() - stamp) / 1e9

    return one


def contend(way: str, name: str, case: str) -> None:
    words = [sys.executable, "-m", "benchmarks.ros_latency", "--worker", name, "--case", case]
    with tempfile.TemporaryDirectory(prefix="latency_", dir="/dev/shm") as directory:
        words += ["--way", way, "--other", directory]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, bufsize=0)
        try:
            assert child.stdin is not None
            link = LINKS[name](case, Path(directory), "a")
            one = call(way, link, SHAPES[case], child.stdin.write)
            for _ in range(10):
                one()
            before = _cpu(child.pid)
            for _ in range(FOR_CPU):
                one()
            serve(one, cpu_ms=1e3 * (_cpu(child.pid) - before) / FOR_CPU)
        finally:
            child.kill()
            child.wait()


def _cpu(child: int) -> float:
    """Seconds that this process and the other have worked."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + busy_s(child)


def environments() -> dict[str, Mapping[str, str]]:
    """Of each contender; real ROS is hidden from rosless, which would leave the field to it."""
    spec = find_spec("rclpy")
    assert spec is not None
    assert spec.origin is not None
    site = Path(spec.origin).parents[1]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = os.pathsep.join(path for path in paths if Path(path).resolve() != site)
    names = [name for name in LINKS if name != "rclpy" or not rosless.ACTIVE]
    hidden = {**os.environ, "PYTHONPATH": others}
    return {name: hidden if name == "rosless" else os.environ for name in names}


def measure(way: str, case: str, rounds: int, calls: int) -> list[Comparison]:
    with ExitStack() as stack:
        words = [sys.executable, "-m", "benchmarks.ros_latency", "--way", way, "--case", case]
        workers = {
            name: stack.enter_context(Worker([*words, "--worker", name], environment=environment))
            for name, environment in environments().items()
        }
        return compare_tails(f"{case}, {way}", workers, ["pyzmq"], rounds, calls)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ros_latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--case", choices=SHAPES, help="only this")
    parser.add_argument("--way", choices=WAYS, help="only this")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--worker", choices=LINKS, help=argparse.SUPPRESS)
    parser.add_argument("--other", type=Path, help=argparse.SUPPRESS)
    a = parser.parse_args(argv)
    if a.other:
        other(a.way, LINKS[a.worker](a.case, a.other, "b"), SHAPES[a.case])
        return
    if a.worker:
        contend(a.way, a.worker, a.case)
        return
    cases, ways = [a.case] if a.case else list(SHAPES), [a.way] if a.way else list(WAYS)
    found = [one for c in cases for w in ways for one in measure(w, c, a.rounds, a.calls)]
    command = f"python -m benchmarks.ros_latency --rounds {a.rounds} --calls {a.calls}"
    save(a.out, found, command, ["cyclonedds", "pyzmq", "numpy"])
    print(table(found))


if __name__ == "__main__":
    main()

"""The round trip of an action, against openpi's websocket server and gRPC with pickle.

    python -m benchmarks.serving --openpi PYTHON --openpi-server FILE [--sides 224 480]

A policy that does nothing is asked over two square frames and 8 floats, and answers with 7 floats;
client and server are processes of this machine. PYTHON is an interpreter that has openpi-client
(its requirements clash with ours), FILE is websocket_policy_server.py of openpi's repository. In
each round everyone makes some hundred round trips; what is quoted are a round's percentiles.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness import Comparison, Worker, compare_tails, save, table
from benchmarks.serving_worker import WAYS

RESULT = Path(__file__).with_name("results") / "serving.json"


def contenders(side: int, openpi: str | None, openpi_server: str | None) -> dict[str, list[str]]:
    python = [sys.executable, "-m"]
    commands = {
        f"regrasp {way}" if way != "echo" else "bare ZeroMQ echo": [
            *python,
            "benchmarks.serving_worker",
            way,
            str(side),
        ]
        for way in WAYS
    }
    commands["gRPC, pickle"] = [*python, "benchmarks.peers.serving_grpc", str(side)]
    if openpi and openpi_server:
        peer = [openpi, "-m", "benchmarks.peers.serving_openpi"]
        commands["openpi"] = [*peer, openpi_server, str(side)]
    return commands


def measure(
    side: int, commands: dict[str, list[str]], rounds: int, calls: int
) -> Sequence[Comparison]:
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(one)) for name, one in commands.items()}
        peers = [name for name in commands if name in ("openpi", "gRPC, pickle")]
        return compare_tails(f"two frames of {side}x{side}", workers, peers, rounds, calls)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--openpi", metavar="PYTHON", help="left out if not given")
    parser.add_argument("--openpi-server", metavar="FILE")
    parser.add_argument("--sides", type=int, nargs="+", default=[224, 480])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=300, help="round trips a round")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)  # for the peer's interpreter
    comparisons = [
        one
        for side in arguments.sides
        for one in measure(
            side,
            contenders(side, arguments.openpi, arguments.openpi_server),
            arguments.rounds,
            arguments.calls,
        )
    ]
    command = "python -m benchmarks.serving --openpi PYTHON --openpi-server FILE"
    packages = ["grpcio", "msgpack", "numpy", "pyzmq"]
    options = f" --rounds {arguments.rounds} --calls {arguments.calls}"
    save(arguments.out, comparisons, command + options, packages)
    print(table(comparisons))


if __name__ == "__main__":
    main()

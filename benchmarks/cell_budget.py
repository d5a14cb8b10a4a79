"""Where the time of a running cell goes: from exposure to command, between two commands, and what
each node's process costs.

    python -m benchmarks.cell_budget --episodes 12

The cell is the one of `make run`, on the twin in real time; nothing of it knows that it is looked
at. Times are those of its own log. A process's share of a core is the kernel's count, from the
first rollout that was stored to the last.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import machine
from benchmarks.processes import busy_s, children, command_of, nodes
from policy.experience.errors import ExperienceError
from policy.experience.log import open_index, read_episode

ROOT = Path(__file__).resolve().parents[1]
LAUNCH = ROOT / "launch/grasp_finetune.launch.py"
RESULT = Path(__file__).with_name("results") / "cell_budget.json"
LOOK_S = 0.5
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def processes_of(launch: int) -> dict[str, int]:
    """Of each node that this launch started, and the learner under one of them."""
    found = nodes(launch)
    for child in [child for node in found.values() for child in children(node)]:
        if "policy.finetune" in command_of(child):
            found["learner"] = child
    return found


def episodes_in(log: Path) -> int:
    try:
        with open_index(log) as index:
            return len(list(index))
    except (ExperienceError, OSError):
        return 0  # it is not there yet


def spent(launch: int) -> tuple[float, dict[str, float]]:
    """When, and the processor's seconds of each process."""
    seconds = {}
    for name, pid in processes_of(launch).items():
        try:
            seconds[name] = busy_s(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return time.monotonic(), seconds


def play(episodes: int, folder: Path, words: list[str]) -> dict[str, float]:
    """Shares of a core, from the first episode that was stored to the last."""
    log = folder / "log"
    given = [f"{name}:={folder / name}" for name in ("log", "learner", "report", "reward_folder")]
    command = [sys.executable, "-m", "rosless", "launch", str(LAUNCH), f"episodes:={episodes}"]
    with (folder / "said").open("w") as out:
        process = subprocess.Popen(
            [*command, *given, *words], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT
        )
        first = last = None
        try:
            while process.poll() is None:
                time.sleep(LOOK_S)
                stored = episodes_in(log)
                if stored and first is None:
                    first = spent(process.pid)
                if first is not None and stored < episodes:
                    now = spent(process.pid)
                    if now[1].keys() >= first[1].keys():  # in the end, nodes go before launch does
                        last = now
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait()
    if first is None or last is None or last[0] <= first[0]:
        text = (folder / "said").read_text()[-2000:]
        raise SystemExit(f"episodes: found {episodes_in(log)}, wanted {episodes}; it said\n{text}")
    return {
        name: (seconds - first[1].get(name, 0.0)) / (last[0] - first[0])
        for name, seconds in sorted(last[1].items())
    }


def times(log: Path) -> dict[str, dict[str, float]]:
    """In ms. Of what a picture's age is when it is acted upon, the camera's own delay is a part."""
    with open_index(log) as index:
        played = [read_episode(entry.path) for entry in index if entry.steps > 1]
    ages = [(e.execution_ns[1:] - e.capture_ns[:-1]) * 1e-6 for e in played]
    periods = [np.diff(e.execution_ns[1:]) * 1e-6 for e in played]
    return {"exposure_to_command": _told(ages), "between_commands": _told(periods)}


def _told(values: Sequence[npt.NDArray[Any]]) -> dict[str, float]:
    joined = np.concatenate(values)
    quantiles = {name: float(np.quantile(joined, share)) for name, share in QUANTILES.items()}
    return {"count": len(joined), **{name: round(value, 1) for name, value in quantiles.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("words", nargs="*", help="launch arguments: preset:=kitchen")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cores = play(asked.episodes, Path(folder), asked.words)
        told: dict[str, Any] = {
            "machine": machine(["onnxruntime", "mujoco", "cyclonedds"]),
            "episodes": asked.episodes, "words": asked.words,
            "ms": times(Path(folder) / "log"),
            "cores": {name: round(share, 3) for name, share in cores.items()},
        }  # fmt: skip
    asked.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

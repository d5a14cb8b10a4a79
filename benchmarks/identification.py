"""Do latencies and joints that the calibration does not know come out of the twin's motion?

    python -m benchmarks.identification [--cells 50]

Each cell is the example with latencies, jitters, damping, friction and armature of each joint,
payload, gripper force and friction drawn anew; the calibration sees the example's file, encoders,
efforts with 0.05 N*m of noise, the gripper's width and force, and the wrist camera's pictures
under the stamps at which they arrived. What counts as true is the drawn value; jitter moves the
mean of so many commands by itself. Cells that `--record` knows are not measured again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import machine
from benchmarks.hidden_twins import DRAWN, Array, Late, answering, hidden, joints, latencies
from benchmarks.slip_tests import hidden_grip, slip_tests
from calibration import Cell, load_cell
from calibration.cell import Delay
from sim.env import TWIN

RESULT = Path(__file__).with_name("results") / "identification.json"


def late(cell: Cell, found: Late) -> dict[str, Any]:
    """What was found, against what is true."""
    told = {}
    for name, (mean, jitter) in found.items():
        true: Delay = getattr(cell.latency, name)
        told[name] = {
            "true_ms": 1e3 * true.mean.value,
            "error_ms": 1e3 * (mean - true.mean.value),
            "true_jitter_ms": 1e3 * true.jitter.value,
            "jitter_error_ms": 1e3 * (jitter - true.jitter.value),
        }
    return told


def gripper(nominal: Cell, random: np.random.Generator) -> dict[str, float]:
    cell = hidden_grip(nominal, random)
    found, force = slip_tests(cell)
    friction, strongest = cell.gripper.friction.value, cell.gripper.force.value
    # What lifts is the product: the load that the pads hold.
    return {
        "friction": found.coefficient / friction - 1,
        "force": force / strongest - 1,
        "holds": found.coefficient * force / (friction * strongest) - 1,
    }


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in DRAWN:
        off = np.abs([cell["latency"][name]["error_ms"] for cell in cells])
        jitter = np.abs([cell["latency"][name]["jitter_error_ms"] for cell in cells])
        true = [cell["latency"][name]["true_ms"] for cell in cells]
        told[f"latency.{name}"] = {
            **_spread(off, "ms"), "within_3_ms": int((off <= 3).sum()),
            "within_10_percent": int((off <= 0.1 * np.array(true)).sum()),
            "jitter": _spread(jitter, "ms"),
        }  # fmt: skip
    for name in ("damping", "friction", "armature"):
        off = 100 * np.abs([cell["dynamics"][name] for cell in cells])
        told[f"dynamics.{name}"] = {
            **_spread(off, "percent"), "joints": off.size,
            "joints_within_10_percent": int((off <= 10).sum()),
            "cells_within_10_percent": int((off <= 10).all(axis=1).sum()),
        }  # fmt: skip
    payload = 1e3 * np.abs([cell["dynamics"]["payload_error_kg"] for cell in cells])
    told["dynamics.payload"] = _spread(payload, "g")
    for name in ("friction", "force", "holds"):
        off = 100 * np.abs([cell["gripper"][name] for cell in cells])
        within = int((off <= 10).sum())
        told[f"gripper.{name}"] = {**_spread(off, "percent"), "within_10_percent": within}
    told["held_out"] = {
        "accepted": sum(cell["dynamics"]["accepted"] for cell in cells),
        **{
            name: float(np.nanmedian([cell["dynamics"][name] for cell in cells]))
            for name in ("unexplained_before", "unexplained_after")
        },  # of those accepted
    }
    return told


def _spread(values: Array, unit: str) -> dict[str, float]:
    return {
        f"median_{unit}": round(float(np.median(values)), 3),
        f"p95_{unit}": round(float(np.quantile(values, 0.95)), 3),
        f"worst_{unit}": round(float(values.max()), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--record", type=Path, default=Path("runs/identification.jsonl"))
    given = parser.parse_args()
    given.record.parent.mkdir(parents=True, exist_ok=True)
    lines = given.record.read_text().splitlines() if given.record.exists() else []
    nominal, cells = load_cell(TWIN), [json.loads(line) for line in lines]
    for number in range(len(cells), given.cells):
        random = np.random.default_rng([number, 11])
        cell = hidden(nominal, random)
        delays = latencies(cell, number, random)
        told = {
            "latency": late(cell, delays),
            "dynamics": joints(cell, answering(nominal, delays), random)[1],
            "gripper": gripper(nominal, random),
        }
        cells.append(told)
        with given.record.open("a") as record:
            record.write(json.dumps(told) + "\n")
    cells = cells[: given.cells]
    found = summary(cells)
    print(json.dumps(found, indent=1))
    result = {
        "command": f"python -m benchmarks.identification --cells {given.cells}",
        "machine": machine(["mujoco", "numpy", "opencv-python-headless"]),
        "cells": given.cells,
        "found": found,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

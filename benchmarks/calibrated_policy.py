"""What a calibration is worth to a policy: trained in the simulator of a calibrated cell file,
against one of a default file, both where neither was trained.

    python -m benchmarks.calibrated_policy out/calibrated [--cells 1] [--minutes 15]

The cell is a twin whose wrist camera, lens, delays, joints and grip are drawn at random and hidden.
The calibration sees what the procedure sees (hand_eye.py, hidden_twins.py, slip_tests.py), with
its noise; the default is the example's file as it comes. Both policies are QT-Opt's of the recipe
that comes along, from logs that the scripted policy left in their own simulator, and both are
counted in the hidden cell's, randomised around nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import machine
from benchmarks.hidden_cells import HiddenCell, poses
from benchmarks.hidden_twins import answering, hidden, joints, latencies
from benchmarks.slip_tests import hidden_grip, slip_tests
from calibration import Cell, load_cell, save_cell
from calibration.handeye import calibrate
from calibration.intrinsics import calibrate as calibrate_lens
from calibration.lens import Lens
from calibration.refine import Task
from calibration.rigid import placed
from policy.contract import Invalid
from policy.evaluate import HELD_OUT
from policy.statistics import Rate
from sim.env import TWIN
from sim.twin.replay import with_joints
from sim2real.stages import Stage, carry_out

RESULT = Path(__file__).with_name("results") / "calibrated_policy.json"
CAMERA, POSES = "wrist", 15
NEAR, TURNED = 0.007, 1.0  # m and degrees along and about each axis: farther, it is in the hand
TASK = "sim:regrasp/BinGrasp-v0"
EPISODES = 300
FILES = ("calibrated", "default")


def seen_by(cell: Cell, lens: Lens, pose: np.ndarray) -> Cell:
    """With this camera at the wrist."""
    camera = cell.cameras[CAMERA]
    model: Any = lens.distortion_model  # which a Lens has as any word
    changed = replace(
        camera,
        pose=placed(camera.pose, pose),
        focal=replace(camera.focal, value=lens.focal),
        centre=replace(camera.centre, value=lens.centre),
        distortion_model=model,
        distortion=replace(camera.distortion, value=lens.distortion),
    )
    return replace(cell, cameras=cell.cameras | {CAMERA: changed})


def drawn(number: int) -> tuple[Cell, Cell]:
    """What is hidden, and what a calibration makes of it."""
    nominal, random = load_cell(TWIN), np.random.default_rng([number, 13])
    eye = HiddenCell.drawn(number, "wrist", NEAR, TURNED)
    truth = seen_by(hidden_grip(hidden(nominal, random), random), eye.lens, eye.camera)
    views = eye.shown(random)
    lens = calibrate_lens(eye.board, views, (eye.lens.width, eye.lens.height))
    told, seen = eye.touched(poses(eye, POSES, number), random)
    task = Task(eye.board, lens.lens, "wrist", told, seen, lens_known=lens.information)
    found = seen_by(nominal, lens.lens, calibrate(task).camera)
    found = answering(found, latencies(truth, number, random))
    found = with_joints(found, joints(truth, found, random)[0])
    rubs, strongest = slip_tests(truth)
    gripper = replace(
        found.gripper,
        friction=replace(found.gripper.friction, value=rubs.coefficient),
        force=replace(found.gripper.force, value=strongest),
    )
    return truth, replace(found, gripper=gripper)


def stages(out: Path, number: int, minutes: float) -> dict[str, Path]:
    """Carries them out; returns where each file's count is."""
    files = {name: out / f"{name}{number}.yaml" for name in ("truth", "calibrated")}
    if not all(path.exists() for path in files.values()):
        out.mkdir(parents=True, exist_ok=True)
        for path, cell in zip(files.values(), drawn(number), strict=True):
            save_cell(cell, path)
    files["default"] = TWIN
    todo, counts = [], {}
    for name in FILES:
        log = out / (f"log-{name}{number}" if name != "default" else f"log-{name}")
        policy, count = out / f"policy-{name}{number}", out / f"count-{name}{number}.json"
        arguments = {"cameras": [f"{CAMERA}_depth"], "cell": str(files["truth"])}
        commands = (
            (log, "sim.collect", log, "--transitions", 20_000, "--cameras", f"{CAMERA}_depth",
             "--size", 64, "--cell", files[name]),
            (policy, "policy.train", f"data.logs=[{log}]", f"minutes={minutes}", f"out={policy}",
             f"+task.arguments.cell={files[name]}", "evaluation.every_minutes=100"),
            (count, "policy.evaluate", policy / "policy.onnx", "--task", TASK, "--arguments",
             json.dumps(arguments), "--episodes", EPISODES, "--seed", HELD_OUT + 1, "--out", count),
        )  # fmt: skip
        before: tuple[str, ...] = ()
        for made, *words in commands:
            todo.append(Stage(made.stem, (sys.executable, "-m", *map(str, words)), before))
            before = (made.stem,)
        counts[name] = count
    # Both at a time, so that both have as much of the machine.
    carry_out({stage.name: stage for stage in todo}.values(), out, len(FILES), os.environ)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=15.0, help="of each training")
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    for number in itertools.count():
        if len(found) == given.cells:
            break
        told: dict[str, Any] = {"cell": number}
        try:
            counts = stages(given.out, number, given.minutes)
        except Invalid as error:  # no picture of a camera that is within the hand
            print(f"cell {number} is passed over: {error}")
            continue
        for name, path in counts.items():
            count = json.loads(path.read_text())
            told[name] = str(Rate(int(count["successes"]), int(count["episodes"])))
        found.append(told)
        print(json.dumps(told))
    result = {
        "command": f"python -m benchmarks.calibrated_policy OUT --cells {given.cells} "
        f"--minutes {given.minutes:g}",
        "machine": machine(["mujoco", "torch", "opencv-python-headless"]),
        "found": found,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

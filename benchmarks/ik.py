"""Inverse kinematics: ours (damped least squares) against mink's quadratic programs.

    pip install -e '.[bench]' && python -m benchmarks.ik

Both follow the same random walk of TCP poses through the workspace, a control step's displacement
at a time, each from its own last solution, until 0.1 mm and 1 mrad are reached or 40 iterations
are spent. mink gets the weights of its own arm examples (a frame task, a light posture task, joint
limits, the daqp solver).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Worker, compare, save, serve, table
from calibration import Cell, load_cell
from calibration.geometry import down
from sim.ik import ANGLE, POSITION, Kinematics
from sim.objects import quaternion

Array = npt.NDArray[np.float64]
CELLS = Path(__file__).resolve().parents[1] / "calibration/cells"
RESULT = Path(__file__).with_name("results") / "ik.json"
POSES = 2000
ITERATIONS = 40


def walk(cell: Cell) -> list[tuple[Array, float]]:
    random = np.random.default_rng(0)
    space, step, turn = cell.workspace, cell.control.max_step.value, cell.control.max_yaw_step.value
    low, high = np.array(space.low.value), np.array(space.high.value)
    place, yaw, poses = (low + high) / 2, 0.0, []
    for _ in range(POSES):
        place = np.clip(place + random.uniform(-step, step, 3), low, high)
        yaw = float(np.clip(yaw + random.uniform(-turn, turn), *space.yaw.value))
        poses.append((place, yaw))
    return poses


class Ours:
    def __init__(self, cell: Cell) -> None:
        self.kinematics = Kinematics(cell)
        self.angles = self.kinematics.home

    def solve(self, place: Array, yaw: float) -> bool:
        self.angles, reached = self.kinematics.solve(place, down(yaw), self.angles, ITERATIONS)
        return reached


class Mink:
    def __init__(self, cell: Cell) -> None:
        import mink

        self.mink, kinematics = mink, Kinematics(cell)
        self.joints = cell.arm.joints
        self.configuration = mink.Configuration(kinematics.model)
        start = self.configuration.q
        start[: self.joints] = kinematics.home
        self.configuration.update(start)
        self.task = mink.FrameTask("tcp", "site", position_cost=1.0, orientation_cost=1.0)
        posture = mink.PostureTask(kinematics.model, cost=1e-3)
        posture.set_target(start)
        self.tasks = [self.task, posture]
        self.limits = [mink.ConfigurationLimit(kinematics.model)]

    def solve(self, place: Array, yaw: float) -> bool:
        mink = self.mink
        turn = mink.SO3(quaternion(down(yaw)))
        self.task.set_target(mink.SE3.from_rotation_and_translation(turn, place))
        for _ in range(ITERATIONS):
            error = np.abs(self.task.compute_error(self.configuration))
            if error[:3].max() < POSITION and error[3:].max() < ANGLE:
                return True
            velocity = mink.solve_ik(
                self.configuration, self.tasks, 1.0, "daqp", damping=1e-6, limits=self.limits
            )
            self.configuration.integrate_inplace(velocity, 1.0)
        return False


def worker(solver: Ours | Mink, poses: list[tuple[Array, float]]) -> None:
    reached = sum(solver.solve(*pose) for pose in poses)
    state = {"next": 0}

    def call() -> None:
        solver.solve(*poses[state["next"] % len(poses)])
        state["next"] += 1

    serve(call, reached=reached, poses=len(poses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worker", choices=["regrasp", "mink"])
    parser.add_argument("--cell", default="twin")
    given = parser.parse_args()
    if given.worker:
        cell = load_cell(CELLS / f"{given.cell}.yaml")
        worker(Ours(cell) if given.worker == "regrasp" else Mink(cell), walk(cell))
        return
    comparisons = []
    for cell_name in ("twin", "twin_ur5e"):
        command = [sys.executable, "-m", "benchmarks.ik", "--cell", cell_name, "--worker"]
        with Worker([*command, "regrasp"]) as ours, Worker([*command, "mink"]) as mink:
            pair = {"regrasp": ours, "mink": mink}
            comparisons.append(compare(cell_name, pair, rounds=15, calls=200))
    save(RESULT, comparisons, "python -m benchmarks.ik", ["mujoco", "numpy", "mink", "daqp"])
    print(table(comparisons))
    for one in comparisons:
        print(one.case, one.told)


if __name__ == "__main__":
    main()

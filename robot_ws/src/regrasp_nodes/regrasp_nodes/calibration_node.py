"""Calibrates one camera of the cell, lens and place, and how late commands and pictures are: tells
a person what to do, moves the arm through the guard, and writes another cell file."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.node import Node

from calibration.board import Board
from calibration.guided import calibrate_here
from policy.contract import ContractError, Invalid
from policy.contract.files import write_atomic
from sim.ik import Kinematics

from .calibrating import Calibrating
from .episode.routine import Interrupted
from .wiring import CELL, ERROR, OK, Diagnostics, Health, cell_of, parameter, run

Array = npt.NDArray[np.float64]
ITERATIONS = 200


class CalibrationNode(Node):
    def __init__(self) -> None:
        super().__init__("calibration")
        self._cell = cell = cell_of(self)
        self._camera = camera = parameter(self, "camera", "front", "which of the cell's")
        if camera not in cell.cameras:
            wanted = f"one of {', '.join(cell.cameras)}"
            raise Invalid("camera", camera, wanted, "name a camera of the cell file")
        self._out = Path(parameter(self, "out", "runs/calibration", "gets cell.yaml and records"))
        self._poses = parameter(self, "poses", 15, "that the arm takes", 8, 60)
        self._views = parameter(self, "views", 60, "of the lens, at most", 12, 500)
        self._exits = parameter(self, "exit_when_done", False, "end when it is done")
        defaults = Board()
        self._board = Board(
            parameter(self, "columns", defaults.columns, "squares across", 3, 30),
            parameter(self, "rows", defaults.rows, "squares down", 3, 30),
            parameter(self, "square", defaults.square, "m, measured on the print", 0.005, 0.2),
            parameter(self, "marker", defaults.marker, "m, measured on the print", 0.003, 0.2),
            parameter(self, "dictionary", defaults.dictionary, "of the markers"),
        )
        self._kinematics = Kinematics(cell)
        self._helper = Calibrating(self, cell, camera)
        self._told: Health = (OK, "begins", {})
        Diagnostics(self, lambda: self._told)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        path = self._out / "cell.yaml"
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            if not path.exists():  # another camera may have been calibrated before
                source = Path(str(self.get_parameter("cell").value or CELL))
                write_atomic(path, source.read_bytes())
            self._helper.begin()
            cell = calibrate_here(
                self._helper, path, self._camera, self._board, self._reachable, self._poses,
                self._views,
            )  # fmt: skip
        except (Interrupted, Invalid, ContractError, OSError) as error:
            self._told = ERROR, str(error), {}
            self.get_logger().error(f"not calibrated: {error}")
        else:
            self._told = OK, f"calibrated {self._camera}", {"cell": path}
            self.get_logger().info(f"calibrated: {path} ({cell.fingerprint})")
        if self._exits:
            rclpy.try_shutdown()

    def _reachable(self, pose: Array) -> bool:
        kinematics = self._kinematics
        _, reached = kinematics.solve(
            pose[:3, 3], pose[:3, :3], kinematics.home, iterations=ITERATIONS
        )
        return reached

    def destroy_node(self) -> None:
        self._helper.reach.stopping.set()
        self._thread.join(5.0)
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(CalibrationNode, args)


if __name__ == "__main__":
    main()

"""Watches whether a camera still stands where it stood after its calibration, and warns by how much
it does not. Nothing else is done about it: a person looks, and calibrates again."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node

from calibration.drift import Drift, DriftWatch
from calibration.registration import Registration
from policy.contract import Invalid
from policy.contract.files import write_atomic

from .watching import Looks
from .wiring import OK, WARN, Diagnostics, Health, cell_of, parameter, run


class WatchNode(Node):
    def __init__(self, **choices: Any) -> None:
        super().__init__("watch", **choices)
        cell = cell_of(self)
        self._camera = camera = parameter(self, "camera", "front", "which of the cell's")
        if camera not in cell.cameras:
            wanted = f"one of {', '.join(cell.cameras)}"
            raise Invalid("camera", camera, wanted, "name a camera of the cell file")
        period = parameter(self, "period", 5.0, "s between two looks", 0.1, 60.0)
        shift = parameter(self, "shift", 0.003, "m that are noticed", 0.001, 0.1)
        turn = parameter(self, "turn", math.radians(0.5), "rad that are noticed", 0.002, 0.5)
        memory = parameter(self, "memory", 40, "looks that one judgement is made of", 5, 1000)
        kept = parameter(self, "reference", "", "JSON file of where it stood; made if missing")
        self._file = Path(kept) if kept else None
        self._key = f"{cell.fingerprint} {camera}"
        self._looks = Looks(self, cell, camera)
        self._watch = DriftWatch(shift, turn, memory, self._remembered())
        self._drift: Drift | None = None
        self._counts = {"looks": 0, "too little of the bin seen": 0, "warnings": 0}
        self._beside = ThreadPoolExecutor(1)
        self._looking: Future[Registration] | None = None
        self.create_timer(period, self._look)
        Diagnostics(self, self._health)

    def _remembered(self) -> npt.NDArray[np.float64] | None:
        """Of this camera under this very calibration; after another, it begins anew."""
        if self._file is None or not self._file.exists():
            return None
        told = json.loads(self._file.read_text())
        return np.array(told[self._key], float) if self._key in told else None

    def _look(self) -> None:
        if self._looking is not None and self._looking.done():
            looked, self._looking = self._looking, None
            self._seen(looked)
        if self._looking is None and (taken := self._looks.take()) is not None:
            self._looking = self._beside.submit(self._looks.register, *taken)

    def _seen(self, looked: Future[Registration]) -> None:
        try:
            found = looked.result()
        except Invalid:
            self._counts["too little of the bin seen"] += 1
            return
        self._counts["looks"] += 1
        moved, begun = self._drift is not None and self._drift.moved, self._watch.reference
        self._drift = self._watch.see(found)
        if begun is None and self._watch.reference is not None:
            self._remember()
        if self._drift.moved and not moved:
            self._counts["warnings"] += 1
            self.get_logger().warning(f"{self._camera} has moved by {self._drift}: calibrate it")
        elif moved and not self._drift.moved:
            self.get_logger().info(f"{self._camera} is back")

    def _remember(self) -> None:
        if self._file is not None and self._watch.reference is not None:
            told = json.loads(self._file.read_text()) if self._file.exists() else {}
            told[self._key] = self._watch.reference.tolist()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._file, json.dumps(told).encode())

    def _health(self) -> Health:
        drift = self._drift
        if drift is None or not drift.ready:
            return OK, f"{self._camera}: not enough seen yet", dict(self._counts)
        figures = {
            "moved (mm)": round(1e3 * drift.distance, 2),
            "turned (degrees)": round(math.degrees(drift.angle), 3), **self._counts,
        }  # fmt: skip
        if drift.moved:
            return WARN, f"{self._camera} has moved by {drift}: calibrate it", figures
        return OK, f"{self._camera} stands where it stood", figures

    def destroy_node(self) -> None:
        self._beside.shutdown(cancel_futures=True)
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(WatchNode, args)


if __name__ == "__main__":
    main()

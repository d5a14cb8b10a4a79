"""Where the hand's camera is, found in the log beside whoever asks, once."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from calibration import Cell
from calibration.cell import DEPTH
from calibration.fromlog import camera_by_log
from calibration.geometry import view_of
from calibration.registration import Registration
from policy.contract import Invalid, encode
from policy.contract.files import write_atomic
from policy.experience.errors import ExperienceError

NONE = "none"  # the camera that is where the cell file has it


class CameraSearch:
    """`path` gets the view of the camera's depth, for `policy.finetune views=PATH`."""

    def __init__(self, cell: Cell, camera: str, log: Path, path: Path) -> None:
        if camera not in (NONE, *cell.cameras):
            wanted = f"one of {sorted(cell.cameras)}, or {NONE}"
            raise Invalid("camera", camera, wanted, f"{NONE}: it is where the cell file has it")
        self._cell, self._camera, self._log, self.path = cell, camera, log, path
        self._looking: Future[Registration | None] | None = None
        self._beside = ThreadPoolExecutor(1)
        self.said = ""  # what was found, or why not
        self._given_up = False

    def done(self) -> bool:
        """Found, nothing to look for, or given up; else goes on."""
        if self._camera == NONE or self._given_up or self.path.exists():
            return True
        if self._looking is None:
            job = self._beside.submit(camera_by_log, self._cell, self._camera, self._log)
            self._looking = job
        elif self._looking.done():
            looked, self._looking = self._looking, None
            try:
                found = looked.result()
            except (Invalid, ExperienceError, OSError) as error:
                self._given_up = True
                self.said = f"{self._camera} is taken to be where the cell file has it: {error}"
            else:
                if found is not None:
                    self._tell(found)
        return False

    def _tell(self, found: Registration) -> None:
        millimetres, degrees = 1e3 * found.distance, math.degrees(found.angle)
        self.said = f"{self._camera} is {millimetres:.1f} mm and {degrees:.2f} degrees beside"
        self.said += " where the cell file has it"
        camera = found.camera(self._cell.cameras[self._camera])
        view = view_of(camera, f"{self._camera}{DEPTH}", self._cell.bin)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, json.dumps([encode(view)]).encode())

    def close(self) -> None:
        self._beside.shutdown(cancel_futures=True)

"""Where the hand's camera is, found in the log beside whoever asks, once."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from calibration import Cell
from calibration.fromlog import view_by_log
from policy.contract import Invalid, View, encode
from policy.contract.files import write_atomic
from policy.experience.errors import ExperienceError


class CameraSearch:
    """`path` gets the view of the camera's depth, for `policy.finetune views=PATH`."""

    def __init__(self, cell: Cell, camera: str, log: Path, path: Path) -> None:
        self._cell, self._camera, self._log, self.path = cell, camera, log, path
        self._looking: Future[View | None] | None = None
        self._beside = ThreadPoolExecutor(1)
        self.given_up = ""  # why

    def done(self) -> bool:
        """Found, nothing to look for, or given up; else goes on."""
        if not self._camera or self.given_up or self.path.exists():
            return True
        if self._looking is None:
            job = self._beside.submit(view_by_log, self._cell, self._camera, self._log)
            self._looking = job
        elif self._looking.done():
            looked, self._looking = self._looking, None
            try:
                view = looked.result()
            except (Invalid, ExperienceError, OSError) as error:
                self.given_up = str(error)
                return True
            if view is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(self.path, json.dumps([encode(view)]).encode())
        return False

    def close(self) -> None:
        self._beside.shutdown(cancel_futures=True)

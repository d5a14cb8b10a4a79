"""Where launch's messages and the lines of its processes go: the screen, launch.log, or both."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TextIO

# Of a process: where the lines of its standard output go, and those of its standard error.
OUTPUTS: Mapping[str, tuple[tuple[bool, bool], tuple[bool, bool]]] = {
    "screen": ((True, False), (True, False)),
    "log": ((False, True), (True, True)),
    "both": ((True, True), (True, True)),
}


class Log:
    """The screen, and a file in a directory of this launch's own, made when there is something."""

    @cached_property
    def directory(self) -> Path:
        home = Path(os.environ.get("ROS_HOME") or "~/.ros")
        base = Path(os.environ.get("ROS_LOG_DIR") or home / "log").expanduser()
        now = datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
        found = base / f"{now}-{socket.gethostname()}-{os.getpid()}"
        found.mkdir(parents=True)
        return found

    @cached_property
    def _file(self) -> TextIO:
        return open(self.directory / "launch.log", "w", encoding="utf-8", buffering=1)

    def line(self, text: str, *, screen: bool = True, log: bool = True) -> None:
        if screen:
            print(text, flush=True)
        if log:
            self._file.write(f"{time.time():.7f} {text}\n")

    def info(self, text: str, name: str = "launch") -> None:
        self.line(f"[INFO] [{name}]: {text}")

    def warning(self, text: str, name: str = "launch") -> None:
        self.line(f"[WARNING] [{name}]: {text}")

    def error(self, text: str, name: str = "launch") -> None:
        self.line(f"[ERROR] [{name}]: {text}")

    def close(self) -> None:
        self._file.close()

"""Where launch's messages and the lines of its processes go: the screen, log files, or both."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from .left_out import left_out

_MESSAGE = "[{levelname}] [{name}]: {message}"
_STAMP = "{created:.7f} "
_LINE = "{message}"

_OUTPUTS: dict[str, dict[str, set[str]]] = {
    "screen": {"both": {"screen"}},
    "log": {"both": {"log"}, "stderr": {"screen"}},
    "both": {"both": {"log", "screen"}},
    "own_log": {"both": {"own_log"}, "stdout": {"own_log"}, "stderr": {"own_log"}},
    "full": {
        "both": {"screen", "log", "own_log"},
        "stdout": {"own_log"},
        "stderr": {"own_log"},
    },
}

Output = str | Mapping[str, str | set[str]]


class LaunchConfig:
    """The log directory and the level, for all loggers of this process."""

    def __init__(self) -> None:
        self._loggers: set[logging.Logger] = set()
        self._handlers: dict[tuple[str | None, str], logging.Handler] = {}
        self.reset()

    def reset(self) -> None:
        """Begin a new log directory, at the next message."""
        for logger in self._loggers:
            logger.handlers.clear()
        for handler in self._handlers.values():
            handler.close()
        self._handlers.clear()
        self._log_dir: Path | None = None
        self._level = logging.INFO

    @property
    def level(self) -> int:
        return self._level

    @level.setter
    def level(self, level: int) -> None:
        self._level = level
        for handler in self._handlers.values():
            handler.setLevel(level)

    @property
    def log_dir(self) -> str:
        if self._log_dir is None:
            home = Path(os.environ.get("ROS_HOME") or "~/.ros")
            base = Path(os.environ.get("ROS_LOG_DIR") or home / "log").expanduser()
            now = datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
            self._log_dir = base / f"{now}-{socket.gethostname()}-{os.getpid()}"
            self._log_dir.mkdir(parents=True)
            latest = base / "latest"
            with suppress(OSError):  # a convenience: another launch may be doing the same
                if latest.is_symlink():
                    latest.unlink()
                latest.symlink_to(self._log_dir)
        return str(self._log_dir)

    def logger(self, name: str, *places: tuple[str | None, str]) -> logging.Logger:
        """`places`: files of the log directory, None being the screen, and the format there."""
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)  # its handlers know the level
        logger.propagate = False
        self._loggers.add(logger)
        for place in places:
            if place not in self._handlers:
                self._handlers[place] = self._handler(*place)
            if self._handlers[place] not in logger.handlers:
                logger.addHandler(self._handlers[place])
        return logger

    def _handler(self, file: str | None, form: str) -> logging.Handler:
        handler: logging.Handler
        if file is None:
            handler = logging.StreamHandler(sys.stdout)
        else:
            handler = logging.FileHandler(Path(self.log_dir, file), encoding="utf-8")
        handler.setFormatter(logging.Formatter(form, style="{"))
        handler.setLevel(self.level)
        return handler


launch_config = LaunchConfig()
reset = launch_config.reset


def get_logger(name: str | None = None) -> logging.Logger:
    places = ((None, _MESSAGE), ("launch.log", _STAMP + _MESSAGE))
    return launch_config.logger(name or "launch", *places)


def get_output_loggers(process_name: str, output: Output) -> tuple[logging.Logger, logging.Logger]:
    """For the lines of a process: its standard output, and its standard error."""
    places = _places(process_name, output)
    loggers = []
    for source in ("stdout", "stderr"):
        everywhere = places["both"] | places[source]
        chosen: list[tuple[str | None, str]] = []
        if "screen" in everywhere:
            chosen.append((None, _LINE))
        if "log" in everywhere:
            chosen.append(("launch.log", _STAMP + _LINE))
        if "own_log" in places[source]:
            chosen.append((f"{process_name}-{source}.log", _LINE))
        if "own_log" in places["both"]:
            chosen.append((f"{process_name}.log", _LINE))
        loggers.append(launch_config.logger(f"{process_name}-{source}", *chosen))
    return loggers[0], loggers[1]


def _places(process_name: str, output: Output) -> dict[str, set[str]]:
    if isinstance(output, str) and output not in _OUTPUTS:
        raise ValueError(
            f"process {process_name}: output is {output!r}, wanted one of {', '.join(_OUTPUTS)}"
        )
    wanted = _OUTPUTS[output] if isinstance(output, str) else output
    places: dict[str, set[str]] = {"both": set(), "stdout": set(), "stderr": set()}
    for source, some in wanted.items():
        destinations = {some} if isinstance(some, str) else set(some)
        if source not in places or not destinations <= {"screen", "log", "own_log"}:
            raise ValueError(
                f"process {process_name}: output is {output!r}, wanted screen, log or own_log for "
                "each of both, stdout and stderr"
            )
        places[source] = destinations
    return places


__getattr__ = left_out(__name__)

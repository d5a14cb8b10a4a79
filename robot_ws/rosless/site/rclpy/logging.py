"""Loggers: a line on the terminal, and a message on /rosout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache
from typing import Any

from rosless.left_out import refuse

Where = tuple[str, str, int]  # file, function, line
Sink = Callable[[int, str, str, Where, int], None]


class LoggingSeverity(IntEnum):
    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


_levels: dict[str, int] = {"": LoggingSeverity.INFO}
_sinks: dict[str, tuple[Sink, ...]] = {}  # of nodes, to /rosout; two may have one name


def set_levels(levels: Mapping[str, int]) -> None:
    _levels.update(levels)


def add_sink(name: str, sink: Sink) -> None:
    """What a logger says, and its children, is told to `sink`, too."""
    _sinks[name] = (*_sinks.get(name, ()), sink)


def remove_sink(name: str, sink: Sink) -> None:
    _sinks[name] = tuple(one for one in _sinks[name] if one is not sink)


def _saying(severity: LoggingSeverity) -> Callable[..., bool]:
    """How a logger says something of this severity."""

    def say(self: RcutilsLogger, message: Any, **choices: Any) -> bool:
        return self._log(message, severity, choices)

    return say


class RcutilsLogger:
    def __init__(self, name: str = "") -> None:
        self.name = name
        self._said: dict[Where, int] = {}  # where, and when last

    def get_child(self, name: str) -> RcutilsLogger:
        if not name:
            raise ValueError("Need a name for the child logger")
        return get_logger(f"{self.name}.{name}" if self.name else name)

    def _lineage(self) -> list[str]:
        """Itself, and whose child it is."""
        parts = self.name.split(".")
        return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]

    def set_level(self, level: int) -> None:
        _levels[self.name] = LoggingSeverity(level)

    def get_effective_level(self) -> LoggingSeverity:
        levels = (_levels.get(name) for name in self._lineage())
        return LoggingSeverity(next(filter(None, levels), _levels[""]))

    def is_enabled_for(self, severity: int) -> bool:
        return severity >= self.get_effective_level()

    debug, info = _saying(LoggingSeverity.DEBUG), _saying(LoggingSeverity.INFO)
    warn = warning = _saying(LoggingSeverity.WARN)
    error, fatal = _saying(LoggingSeverity.ERROR), _saying(LoggingSeverity.FATAL)

    def log(self, message: Any, severity: int, **choices: Any) -> bool:
        return self._log(message, LoggingSeverity(severity), choices)

    def _log(self, message: Any, severity: LoggingSeverity, choices: dict[str, Any]) -> bool:
        """Whether it was said."""
        frame = sys._getframe(2)
        where = (frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno)
        refuse("log", {name: choices.pop(name, None) for name in ("once", "skip_first")})
        if choices and not self._chosen(where, **choices):
            return False
        if not self.is_enabled_for(severity):
            return False
        now, text = time.time_ns(), str(message)
        stamp = f"{now // 10**9}.{now % 10**9:09d}"
        print(f"[{severity.name}] [{stamp}] [{self.name}]: {text}", file=sys.stderr, flush=True)
        if sinks := next(filter(None, (_sinks.get(name) for name in self._lineage())), ()):
            sinks[-1](severity, self.name, text, where, now)
        return True

    def _chosen(
        self,
        where: Where,
        *,
        throttle_duration_sec: float,
        throttle_time_source_type: Any = None,
    ) -> bool:
        """`throttle_time_source_type` is a clock; the steady one unless it is given."""
        clock = throttle_time_source_type
        now = clock.now().nanoseconds if clock is not None else time.monotonic_ns()
        last = self._said.get(where)
        if last is not None and 0 <= now - last < throttle_duration_sec * 1e9:
            return False
        self._said[where] = now
        return True


@cache
def get_logger(name: str) -> RcutilsLogger:
    return RcutilsLogger(name)


def set_logger_level(name: str, level: int, detailed_error: bool = False) -> bool:
    get_logger(name).set_level(level)
    return True


def get_logger_effective_level(name: str) -> LoggingSeverity:
    return get_logger(name).get_effective_level()


def get_logging_severity_from_string(log_severity: str) -> LoggingSeverity:
    return LoggingSeverity[log_severity.upper()]

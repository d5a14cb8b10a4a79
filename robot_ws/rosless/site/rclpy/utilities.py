"""The context that is meant when none is named."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from rclpy.context import Context
from rclpy.impl.arguments import parse

_default: Context | None = None
_lock = threading.RLock()


def get_default_context(*, shutting_down: bool = False) -> Context:
    """There is always one; after the one that is shutting down comes another."""
    global _default
    with _lock:
        if _default is None:
            _default = Context()
        found = _default
        if shutting_down:
            _default = None
        return found


def ok(*, context: Context | None = None) -> bool:
    return (context or get_default_context()).ok()


def shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).try_shutdown()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    return parse(sys.argv if args is None else args).rest


def get_rmw_implementation_identifier() -> str:
    return "rmw_cyclonedds_cpp"

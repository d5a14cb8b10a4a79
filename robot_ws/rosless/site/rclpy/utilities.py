"""What does not need a node. The context that is meant where none is named is the default one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rosless.left_out import left_out

from rclpy.context import Context, get_default_context
from rclpy.impl.arguments import parse

__all__ = ["get_default_context", "ok", "remove_ros_args", "shutdown", "try_shutdown"]


def ok(*, context: Context | None = None) -> bool:
    return (context or get_default_context()).ok()


def shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).try_shutdown()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    return parse(sys.argv if args is None else args).rest


__getattr__ = left_out(__name__)

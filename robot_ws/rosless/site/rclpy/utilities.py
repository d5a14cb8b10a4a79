"""What does not need a node."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rosless.left_out import left_out

from rclpy.context import get_default_context, ok, try_shutdown
from rclpy.impl.arguments import parse

__all__ = ["get_default_context", "ok", "remove_ros_args", "try_shutdown"]


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    return parse(sys.argv if args is None else args).rest


__getattr__ = left_out(__name__)

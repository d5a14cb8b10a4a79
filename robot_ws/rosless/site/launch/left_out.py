"""Names what this subset of ROS 2's launch does not have, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class LeftOut(ImportError, NotImplementedError):
    """Something that ROS 2 has and rosless has not."""


def left_out(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of `module`. Assign it last: until then Python looks for submodules."""

    def missing(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise LeftOut(
            f"{module}.{name} is not in rosless, which runs a subset of ROS 2's launch: do without "
            "it in this launch file, or run the file with `ros2 launch`"
        )

    return missing

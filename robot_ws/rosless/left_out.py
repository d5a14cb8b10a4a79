"""Says by name what ROS 2 has and rosless has not, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

PACKAGES = ("ament_index_python", "launch", "launch_ros", "launch_testing", "rclpy", "tf2_ros")


class LeftOut(ImportError, NotImplementedError):
    """Something that ROS 2 has and rosless has not."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not in rosless, which has the part of ROS 2 that a cell's nodes use: do "
            "without it, or run this where ROS 2 is installed"
        )


def left_out(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of `module`. Assign it last: until then Python looks for submodules."""

    def missing(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise LeftOut(f"{module}.{name}")

    return missing


def refuse(owner: str, options: Mapping[str, Any]) -> None:
    """Options that are left out; None asks for nothing."""
    for name, value in options.items():
        if value is not None:
            raise LeftOut(f"{owner}({name}=...)")


class Absent:
    """An attribute that a class has in ROS 2."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        raise LeftOut(self._name)


class MissingModules(MetaPathFinder):
    """The last to be asked for a module of ROS: it is not there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname.partition(".")[0] in PACKAGES and not fullname.endswith(".__main__"):
            raise LeftOut(fullname)

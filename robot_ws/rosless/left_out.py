"""Says by name what ROS 2 has and rosless has not, where it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

SITE = Path(__file__).resolve().parent / "site"
PACKAGES = ("ament_index_python", "launch", "launch_ros", "launch_testing", "rclpy", "tf2_ros")


class LeftOut(ImportError, NotImplementedError):
    """Something that ROS 2 has and rosless has not."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not in rosless, which has the part of ROS 2 that a cell's nodes use: do "
            "without it, or run this where ROS 2 is installed"
        )


class Finder(MetaPathFinder):
    """Of ROS's modules: one that is missing says so, and so does a name in one that is there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in PACKAGES or fullname.endswith(".__main__"):
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is None:
            raise LeftOut(fullname)
        if spec.origin is not None and SITE in Path(spec.origin).parents:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        def missing(name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            if hasattr(module, "__path__"):
                return importlib.import_module(f"{module.__name__}.{name}")
            raise LeftOut(f"{module.__name__}.{name}")

        super().exec_module(module)
        module.__getattr__ = missing  # type: ignore[method-assign]


class Absent:
    """An attribute that a class has in ROS 2."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        raise LeftOut(self._name)


def refuse(owner: str, options: Mapping[str, Any]) -> None:
    """Options that are left out; None asks for nothing."""
    for name, value in options.items():
        if value is not None:
            raise LeftOut(f"{owner}({name}=...)")

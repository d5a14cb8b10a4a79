"""Where a launch description comes from: a Python file."""

from __future__ import annotations

import runpy
from pathlib import Path

from rosless.left_out import LeftOut

from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .substitutions import SomeSubstitutionsType, resolve


class InvalidPythonLaunchFileError(Exception):
    """The launch file has no generate_launch_description()."""


class LaunchDescriptionSource:
    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        self._location = launch_file_path

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(resolve(context, self._location))

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """None where its path depends on what is known only later, or the file fails."""
        try:
            return self.get_launch_description(LaunchContext())
        except Exception:  # noqa: BLE001 - a launch file may raise anything, and will when it runs
            return None


PythonLaunchDescriptionSource = LaunchDescriptionSource  # of the formats, Python alone is here


def get_launch_description_from_python_launch_file(path: str) -> LaunchDescription:
    if Path(path).suffix != ".py":
        raise LeftOut(f"launch file {path}: one in XML or YAML")
    generate = runpy.run_path(path).get("generate_launch_description")
    if generate is None:
        raise InvalidPythonLaunchFileError(
            f"launch file {path} has no function generate_launch_description(): define one that "
            "returns a LaunchDescription"
        )
    description = generate()
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(
            f"launch file {path}: generate_launch_description() returned {description!r}, wanted a "
            "LaunchDescription"
        )
    return description

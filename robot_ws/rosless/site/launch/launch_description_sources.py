"""Where a launch description comes from: a Python file."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .left_out import left_out
from .substitution import SomeSubstitutionsType, describe, resolve


class InvalidPythonLaunchFileError(Exception):
    """The launch file has no generate_launch_description()."""


class LaunchDescriptionSource:
    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = "<string>",
    ) -> None:
        self._description = launch_description
        self._location = location
        self.location = describe(location)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Read at its first use: only then is its path known."""
        if self._description is None:
            self.location = resolve(context, self._location)
            self._description = get_launch_description_from_python_launch_file(self.location)
        return self._description

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """None where its path depends on what is known only later, or the file fails."""
        if self._description is not None:
            return self._description
        try:
            location = resolve(LaunchContext(), self._location)
            return get_launch_description_from_python_launch_file(location)
        except Exception:  # noqa: BLE001 - a launch file may raise anything, and will when it runs
            return None


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path)


AnyLaunchDescriptionSource = PythonLaunchDescriptionSource  # of the formats, Python alone is here


def load_python_launch_file_as_module(python_launch_file_path: str) -> ModuleType:
    if Path(python_launch_file_path).suffix != ".py":
        raise NotImplementedError(
            f"launch file {python_launch_file_path}: rosless reads Python launch files (*.py), not "
            "XML or YAML: write it in Python, or run it with `ros2 launch`"
        )
    loader = SourceFileLoader("python_launch_file", python_launch_file_path)
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None  # so it is for a loader that is given
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def get_launch_description_from_python_launch_file(
    python_launch_file_path: str,
) -> LaunchDescription:
    module = load_python_launch_file_as_module(python_launch_file_path)
    generate = getattr(module, "generate_launch_description", None)
    if generate is None:
        raise InvalidPythonLaunchFileError(
            f"launch file {python_launch_file_path} has no function generate_launch_description(): "
            "define one that returns a LaunchDescription"
        )
    description = generate()
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(
            f"launch file {python_launch_file_path}: generate_launch_description() returned "
            f"{description!r}, wanted a LaunchDescription"
        )
    return description


__getattr__ = left_out(__name__)

"""Finds the packages of a ROS workspace in its sources, and the executables of its Python ones."""

from __future__ import annotations

import ast
import configparser
import os
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]  # where rosless is imported from
PATH = "ROSLESS_PACKAGE_PATH"
_IGNORED = {"COLCON_IGNORE", "AMENT_IGNORE", "CATKIN_IGNORE"}
_SCRIPT = re.compile(r"""^\s*["']?([\w.-]+)["']?\s*=\s*["']?([\w.]+:[\w.]+)""", re.MULTILINE)
_SECTION = re.compile(r"^\[project\.scripts\]\s*$(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


class PackageNotFoundError(KeyError):
    """No package.xml below the package path has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


class ExecutableNotFoundError(RuntimeError):
    """The package has no console script of this name."""


def package_path() -> list[Path]:
    """The workspace's `src`, unless ROSLESS_PACKAGE_PATH names other directories."""
    value = os.environ.get(PATH)
    return [Path(part) for part in value.split(os.pathsep)] if value else [ROOT / "src"]


def find_package(name: str) -> Path:
    """The directory of its package.xml."""
    roots = package_path()
    for root in roots:
        for directory in _packages(root):
            if ElementTree.parse(directory / "package.xml").findtext("name", "").strip() == name:
                return directory
    raise PackageNotFoundError(
        f"package '{name}' not found below {', '.join(map(str, roots))}: correct the name, or set "
        f"{PATH} to the directories that hold your packages"
    )


def _packages(root: Path) -> Iterator[Path]:
    for directory, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if not _IGNORED.isdisjoint(files):
            below.clear()
        elif "package.xml" in files:
            below.clear()  # packages do not nest
            yield Path(directory)


def executable_command(package: str, executable: str) -> tuple[list[str], list[Path]]:
    """The command that runs it, and what must be on PYTHONPATH for it."""
    directory = find_package(package)
    scripts = console_scripts(directory)
    if executable not in scripts:
        raise ExecutableNotFoundError(
            f"executable '{executable}' not found in package '{package}' at {directory}, which has "
            f"[{', '.join(scripts)}]: correct the name, or declare it under console_scripts in "
            "setup.py, setup.cfg or pyproject.toml"
        )
    target = scripts[executable]
    found = find_spec(target.partition(":")[0].partition(".")[0])
    installed = found is not None and found.origin is not None  # a bare directory has no origin
    command = [sys.executable, "-m", "rosless", "run", target]
    return command, [ROOT] if installed else [ROOT, directory]


def console_scripts(directory: Path) -> dict[str, str]:
    """By name, module:function, as far as the package declares them literally."""
    scripts: dict[str, str] = {}
    project, config, setup = (
        directory / name for name in ("pyproject.toml", "setup.cfg", "setup.py")
    )
    if project.exists() and (section := _SECTION.search(project.read_text())):
        scripts |= dict(_SCRIPT.findall(section[1]))
    if config.exists():
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(config.read_text())
        text = parser.get("options.entry_points", "console_scripts", fallback="")
        scripts |= dict(_SCRIPT.findall(text))
    if setup.exists():
        scripts |= dict(_SCRIPT.findall("\n".join(_literal_scripts(setup))))
    return scripts


def _literal_scripts(setup: Path) -> list[str]:
    """Of setup(entry_points={'console_scripts': [...]}), without running the file."""
    for node in ast.walk(ast.parse(setup.read_text(), str(setup))):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            try:
                lines = ast.literal_eval(node.value).get("console_scripts", [])
            except ValueError:
                raise NotImplementedError(
                    f"{setup}, line {node.value.lineno}: entry_points is computed, and rosless "
                    "reads it without running it: write it as literals, or in setup.cfg"
                ) from None
            return [lines] if isinstance(lines, str) else list(lines)
    return []

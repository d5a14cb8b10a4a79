"""Finds the packages of a ROS workspace in its sources, and the executables of its Python ones."""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from rosless.left_out import LeftOut

ROOT = Path(__file__).resolve().parents[1]  # where rosless is imported from
PATH = "ROSLESS_PACKAGE_PATH"


class PackageNotFoundError(LookupError):
    """No package.xml below the package path has this name."""


class ExecutableNotFoundError(RuntimeError):
    """The package has no console script of this name."""


def find_package(name: str) -> Path:
    """The directory of its package.xml, in the workspace's `src` unless ROSLESS_PACKAGE_PATH names
    other directories."""
    value = os.environ.get(PATH)
    roots = [Path(part) for part in value.split(os.pathsep)] if value else [ROOT / "src"]
    for file in (file for root in roots for file in sorted(root.rglob("package.xml"))):
        if ElementTree.parse(file).findtext("name", "").strip() == name:
            return file.parent
    raise PackageNotFoundError(
        f"package '{name}' not found below {', '.join(map(str, roots))}: correct the name, or set "
        f"{PATH} to the directories that hold your packages"
    )


def executable_command(package: str, executable: str) -> tuple[list[str], list[Path]]:
    """The command that runs it, and what must be on PYTHONPATH for it."""
    directory = find_package(package)
    scripts = console_scripts(directory / "setup.py")
    if executable not in scripts:
        raise ExecutableNotFoundError(
            f"executable '{executable}' not found in package '{package}' at {directory}, which has "
            f"[{', '.join(scripts)}]: correct the name, or declare it under console_scripts in "
            "setup.py"
        )
    target = scripts[executable]
    found = find_spec(target.partition(":")[0].partition(".")[0])
    installed = found is not None and found.origin is not None  # a bare directory has no origin
    command = [sys.executable, "-m", "rosless", "run", target]
    return command, [ROOT] if installed else [ROOT, directory]


def console_scripts(setup: Path) -> dict[str, str]:
    """Of setup(entry_points={'console_scripts': [...]}), without running the file: by name,
    module:function."""
    for node in ast.walk(
        ast.parse(setup.read_text(), str(setup)) if setup.exists() else ast.Pass()
    ):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            try:
                lines = ast.literal_eval(node.value).get("console_scripts", [])
            except ValueError:
                where = f"{setup}, line {node.value.lineno}"
                raise LeftOut(f"{where}: entry_points that are computed") from None
            pairs = (line.partition("=") for line in lines)
            return {name.strip(): target.strip() for name, _, target in pairs}
    return {}

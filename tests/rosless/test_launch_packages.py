"""Packages and their executables, read from the sources of a workspace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from launch_ros.actions import Node
from launching import failure, run
from rosless.packages import (
    ROOT,
    ExecutableNotFoundError,
    PackageNotFoundError,
    console_scripts,
    executable_command,
    find_package,
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROSLESS_PACKAGE_PATH", str(tmp_path / "src"))
    return tmp_path / "src"


def package(directory: Path, name: str, **files: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "package.xml").write_text(f'<package format="3"><name> {name} </name></package>')
    for file, text in files.items():
        (directory / file.replace("_", ".")).write_text(text)
    return directory


SETUP = "name = 'p'\nsetup(name=name, entry_points={'console_scripts': ['a = m.one:main']})\n"


def test_packages_are_found_by_their_names(workspace: Path) -> None:
    directory = package(workspace / "deep" / "folder", "cell_nodes")
    assert find_package("cell_nodes") == directory
    with pytest.raises(PackageNotFoundError, match=r"'none' not found .*ROSLESS_PACKAGE_PATH"):
        find_package("none")


def test_executables_are_read_without_running_anything(workspace: Path) -> None:
    directory = package(workspace / "p", "p", setup_py=SETUP)
    assert console_scripts(directory / "setup.py") == {"a": "m.one:main"}
    assert console_scripts(workspace / "setup.py") == {}


def test_setup_that_computes_its_executables(workspace: Path) -> None:
    text = "setup(entry_points={'console_scripts': [f'{x} = m:main' for x in names]})"
    with pytest.raises(
        NotImplementedError, match=r"setup\.py, line 1: entry_points that are computed"
    ):
        console_scripts(package(workspace / "p", "p", setup_py=text) / "setup.py")


def test_command_of_an_executable(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "nowhere").mkdir(parents=True)  # a bare directory is not the package
    monkeypatch.syspath_prepend(str(workspace))
    directory = package(workspace / "p", "p", setup_py=SETUP.replace("m.one", "nowhere.one"))
    command = [sys.executable, "-m", "rosless", "run", "nowhere.one:main"]
    assert executable_command("p", "a") == (command, [ROOT, directory])
    with pytest.raises(ExecutableNotFoundError, match=r"'b' not found in package 'p' .*\[a\]"):
        executable_command("p", "b")
    installed = package(workspace / "q", "q", setup_py=SETUP.replace("m.one", "yaml.one"))
    assert executable_command("q", "a")[1] == [ROOT]
    assert installed.is_dir()


def test_node_of_a_package_runs(workspace: Path) -> None:
    directory = package(workspace / "p", "p", setup_py=SETUP)
    (directory / "m").mkdir()
    (directory / "m" / "__init__.py").touch()
    (directory / "m" / "one.py").write_text("import sys\ndef main(): print(sys.argv[1:])\n")
    result = run(Node(package="p", executable="a", name="n", arguments=["x"], output="screen"))
    assert result.said("a") == ["['x', '--ros-args', '-r', '__node:=n']"], result.text


def test_package_or_executable_that_is_not_there(workspace: Path) -> None:
    package(workspace / "p", "p", setup_py=SETUP)
    assert "package 'none' not found below" in failure(Node(package="none", executable="a"))
    assert "executable 'b' not found in package 'p'" in failure(Node(package="p", executable="b"))

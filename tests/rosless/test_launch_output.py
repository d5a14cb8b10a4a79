"""What processes say, and where it goes."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from launch import LaunchContext
from launch.logging import Log
from launch.substitutions import LaunchConfiguration
from launching import Call, matched, python, run
from ros_doing import until


def test_lines_have_the_name_of_the_process_before_them() -> None:
    code = (
        "import sys, os\n"
        "print('out'); print('err', file=sys.stderr); print()\n"
        "os.write(1, b'\\xc3'); os.write(1, b'\\xa9 {x} %s\\n')\n"  # a letter in two parts
        "sys.stdout.write('no end'); sys.stderr.write('no end either')\n"
    )
    result = run(python(code))
    assert result.code == 0
    name = matched(r"^\[INFO\] \[(it-\d+)\]: process started with pid \[(\d+)\]$", result)
    said = [line for line in result.lines if line.startswith(f"[{name[1]}]")]
    assert sorted(said) == sorted(
        f"[{name[1]}] {line}" for line in ("out", "err", "", "é {x} %s", "no end", "no end either")
    )
    assert result.lines[-1] == f"[INFO] [{name[1]}]: process has finished cleanly [pid {name[2]}]"


def test_process_that_speaks_before_launch_has_looked(tmp_path: Path) -> None:
    """Its first words are there as soon as its pipes are, and come after its start all the same."""
    spoken = tmp_path / "spoken"

    def stand_still(_: LaunchContext) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: until(spoken.exists))  # its start waits before this, half done

    code = "import os, pathlib, sys; os.write(1, b'first\\n'); pathlib.Path(sys.argv[1]).touch()"
    result = run(python(code, str(spoken)), Call(stand_still))
    assert result.code == 0, result.text
    it = [line for line in result.lines if "[it-" in line]
    assert "process started" in it[0]
    assert it[1].endswith("] first")
    assert "process has finished" in it[2]


def test_process_that_dies_says_how_and_launch_still_succeeds() -> None:
    result = run(python("import sys; sys.exit(int(sys.argv[1]))", "3"))
    assert result.code == 0
    pid = matched(r"started with pid \[(\d+)\]", result)[1]
    assert "[ERROR] [it-" in result.lines[-1]
    assert (
        f"]: process has died [pid {pid}, exit code 3, cmd '{sys.executable} -u -c " in result.text
    )
    assert result.lines[-1].endswith(" 3'].")
    assert "exit code -9, cmd" in run(python("import os; os.kill(os.getpid(), 9)")).text


def test_numbers_count_the_processes() -> None:
    result = run(python("print(1)"), python("print(2)"))
    first, second = re.findall(r"\[it-(\d+)\]: process started", result.text)
    assert int(second) == int(first) + 1


@pytest.mark.parametrize(
    ("output", "screen", "log"),
    [
        ("screen", "oe", ""),
        ("log", "e", "oe"),
        ("both", "oe", "oe"),
        ([LaunchConfiguration("none", default="screen")], "oe", ""),
    ],
)
def test_output_goes_where_it_is_sent(
    output: object, screen: str, log: str, tmp_path: Path
) -> None:
    code = "import sys; print('=o='); sys.stdout.flush(); print('=e=', file=sys.stderr)"
    result = run(python(code, output=output), logs=tmp_path)

    def letters(text: str) -> str:
        return "".join(x for x in "oe" if re.search(rf"\[it-\d+\] ={x}=$", text, re.MULTILINE))

    (directory,) = tmp_path.iterdir()
    main = (directory / "launch.log").read_text()
    assert letters(result.text) == screen
    assert letters(main) == log
    assert re.search(r"^\d+\.\d{7} \[INFO\] \[it-\d+\]: process started", main, re.MULTILINE)


def test_output_that_does_not_exist() -> None:
    result = run(python("", output="sceen"))
    assert result.code == 1
    assert "output is 'sceen', wanted one of screen, log, both" in result.text


def test_log_directory_follows_ros_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROS_LOG_DIR", raising=False)
    monkeypatch.setenv("ROS_HOME", str(tmp_path))
    assert Log().directory.parent == tmp_path / "log"

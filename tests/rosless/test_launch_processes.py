"""Processes: how they start, respawn and end."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from launch import LaunchDescriptionEntity
from launch.actions import ExecuteProcess, SetLaunchConfiguration, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launching import HEARS, matched, python, run, when_ready

# How they start -----------------------------------------------------------------------------------


def test_environment_and_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "1")
    code = "import os; print(os.getcwd(), *(os.environ.get(x, '-') for x in 'ABC'))"
    setting = SetLaunchConfiguration("b", "2")
    more = {"additional_env": {"B": LaunchConfiguration("b")}, "cwd": [str(tmp_path)]}
    assert run(setting, python(code, **more)).said("it") == [f"{tmp_path} 1 2 -"]
    assert run(setting, python(code, env={"C": "3"}, **more)).said("it") == [f"{tmp_path} - 2 3"]


def test_shell() -> None:
    shell = ExecuteProcess(cmd=["echo", "$((1 + 1))", "|", "cat"], shell=True, output="screen")
    assert run(shell).said("echo") == ["2"]


def test_program_that_is_not_there_is_an_error_of_the_process() -> None:
    result = run(ExecuteProcess(cmd=["no-such-program"]), python("print('goes on')"))
    assert result.code == 0
    matched(r"^\[ERROR\] \[no-such-program-\d+\]: exception occurred.*'no-such-program'$", result)
    assert result.said("it") == ["goes on"]


def test_action_stands_for_one_process() -> None:
    process = python("")
    result = run(process, process)
    assert result.code == 1
    assert "is executed a second time" in result.text


def test_respawn_as_often_as_it_may() -> None:
    process = python("print('alive')", respawn=True, respawn_max_retries=2, respawn_delay=0.01)
    result = run(process)
    assert result.said("it") == ["alive"] * 3
    assert len(set(re.findall(r"started with pid \[(\d+)\]", result.text))) == 3
    assert len(set(re.findall(r"\[(it-\d+)\]: process started", result.text))) == 1


def test_respawn_for_ever_ends_with_the_launch() -> None:
    left = iter("ab")

    def shut_down(event: ProcessExited, _: object) -> list[LaunchDescriptionEntity]:
        return [] if next(left, None) else [Shutdown()]

    process = python("print('alive')", respawn="true", on_exit=shut_down)
    assert len(run(process).said("it")) >= 3
    waiting = python("print('ready')", respawn=True, respawn_delay=3600.0, on_exit=[Shutdown()])
    assert run(waiting).said("it") == ["ready"]


# How they end -------------------------------------------------------------------------------------


def test_process_that_stays_is_told_more_firmly() -> None:
    fast = {"sigterm_timeout": "0.2", "sigkill_timeout": LaunchConfiguration("x", default=0.2)}
    stays = python(HEARS, "SIGINT SIGTERM", **fast)
    result = run(stays, when_ready(stays, Shutdown()))
    assert result.said("it") == ["ready", "got SIGINT", "got SIGTERM"]
    matched(r"failed to terminate '0.2' seconds after receiving 'SIGINT', escalating", result)

    deaf = python(HEARS, "SIGINT SIGTERM SIGUSR1", **fast)
    result = run(deaf, when_ready(deaf, Shutdown()))
    assert result.said("it") == ["ready", "got SIGINT", "got SIGTERM"]
    matched(r"after receiving 'SIGTERM', escalating to 'SIGKILL'", result)
    assert "exit code -9" in result.text


def test_children_of_a_process_end_with_the_launch(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    leaves = (  # a child that has its own end of the pipe, and holds its parent's output open
        "import os, subprocess, sys\n"
        "writer = os.open(sys.argv[1], os.O_WRONLY)\n"
        "subprocess.Popen(['sleep', '3600'], pass_fds=[writer])\n"
        "print('gone')\n"
    )
    result = run(python(leaves, str(tmp_path / "alive")))
    assert result.said("it") == ["gone"]
    assert "finished cleanly" in result.text
    assert os.read(reader, 1) == b""  # its end: nobody has the pipe open any more
    os.close(reader)


def test_shell_ends_with_what_it_runs(tmp_path: Path) -> None:
    (tmp_path / "hears.py").write_text(HEARS)
    command = [sys.executable, str(tmp_path / "hears.py"), "SIGINT", ";", "echo over"]
    process = ExecuteProcess(cmd=command, shell=True, output="screen", name="it")
    result = run(process, when_ready(process, Shutdown()))
    assert result.code == 0
    assert result.said("it")[:2] == ["ready", "got SIGINT"]


def children() -> set[str]:
    """Of this process, ended ones included; other tests may have left some to run."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_no_process_is_left_to_wait_for() -> None:
    before = children()
    run(python(""), python("input()", name="waits"), python("", on_exit=Shutdown(), name="ends"))
    assert children() <= before

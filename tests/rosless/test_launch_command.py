"""`rosless launch` as a command: its arguments, and what signals do to it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launching import PATH, Command

ARGUMENTS = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, LogInfo
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument("cell", description="which cell"),
        DeclareLaunchArgument("mode", default_value="twin", choices=["twin", "real"]),
        DeclareLaunchArgument("user", default_value=["me in ", LaunchConfiguration("cell")]),
        GroupAction([DeclareLaunchArgument("perhaps")], condition=IfCondition("false")),
        LogInfo(msg=["cell ", LaunchConfiguration("cell")]),
        LogInfo(msg=["more ", LaunchConfiguration("more", default="none")]),
    ])
"""
SHOWN = """\
Arguments (pass arguments as '<name>:=<value>'):

    'cell':
        which cell

    'mode':
        Valid choices are: ['twin', 'real']
        (default: 'twin')

    'user':
        no description given
        (default: 'me in ' + LaunchConfiguration('cell'))

    'perhaps':*
        no description given

* argument(s) which are only used if specific conditions occur"""

# Two processes that say which signals they get, and end at the last of them.
TWO = """
import sys
from launch import LaunchDescription
from launch.actions import ExecuteProcess

HEARS = '''
import os, signal, sys
def hear(number, _):
    os.write(1, f"{sys.argv[1]} got {signal.Signals(number).name}\\\\n".encode())
    if signal.Signals(number).name == sys.argv[2]:
        sys.exit()
signal.signal(signal.SIGINT, hear)
signal.signal(signal.SIGTERM, hear)
os.write(1, f"{sys.argv[1]} ready\\\\n".encode())
while True:
    signal.pause()
'''

def generate_launch_description():
    return LaunchDescription([
        ExecuteProcess(
            cmd=[sys.executable, "-c", HEARS, name, last],
            output="screen",
            sigterm_timeout="3600",
            sigkill_timeout="3600",
        )
        for name, last in (("first", "FIRST"), ("second", "SECOND"))
    ])
"""


NAMES = ("first", "second")


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`rosless launch` of a text. Gone after the test, whatever came of it."""
    commands = []

    def start(text: str, *arguments: str) -> Command:
        commands.append(Command(tmp_path, text, *arguments))
        return commands[-1]

    yield start
    for command in commands:
        with command.process as process:
            process.kill()


def two(first: str, second: str) -> str:
    return TWO.replace("FIRST", first).replace("SECOND", second)


def told(command: Command) -> list[str]:
    return sorted(line.split("] ")[1] for line in command.lines if " got SIG" in line)


# Arguments ----------------------------------------------------------------------------------------


def test_shows_the_arguments(start: Start, tmp_path: Path) -> None:
    command = start(ARGUMENTS, "--show-args")
    assert command.end() == 0
    assert command.text.strip() == SHOWN
    assert not (tmp_path / "log").exists()


def test_passes_the_arguments(start: Start, tmp_path: Path) -> None:
    command = start(ARGUMENTS, "cell:=a", "more:= b:=c", "cell:=x=y")
    assert command.end() == 0
    assert "[INFO] [launch.user]: cell x=y" in command.lines
    assert "[INFO] [launch.user]: more  b:=c" in command.lines
    assert f"All log files can be found below {tmp_path}/log/" in command.text


def test_argument_that_is_missing(start: Start) -> None:
    command = start(ARGUMENTS, "mode:=real", "--debug")
    assert command.end() == 1
    assert "Required launch argument 'cell' (description: 'which cell')" in command.text
    assert "cell:=value" in command.text
    assert "Traceback" in command.text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{}/none.launch.py"], "none.launch.py is not a file"),
        (["{}/a.launch.py", "cell=a"], "launch argument 'cell=a' is malformed"),
        (["{}/a.launch.py", "cell:="], "launch argument 'cell:=' is malformed"),
    ],
)
def test_command_line_that_makes_no_sense(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rosless.cli.launch import main

    (tmp_path / "a.launch.py").write_text(ARGUMENTS)
    with pytest.raises(SystemExit, match="2"):
        main([argument.format(tmp_path) for argument in arguments])
    assert reason in capsys.readouterr().err


# Signals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_in_order(number: signal.Signals, start: Start) -> None:
    command = start(two("SIGINT", "SIGINT"))
    command.until("ready", "ready")
    command.process.send_signal(number)
    assert command.end() == 0
    assert told(command) == ["first got SIGINT", "second got SIGINT"]
    assert command.text.count("process has finished cleanly") == 2


def test_ctrl_c_in_a_terminal_reaches_each_process_once(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    # Takes the terminal as its own, as a login shell does, and becomes the command.
    take = (
        "import fcntl, os, sys, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'rosless.cli.launch', *sys.argv[1:]])\n"
    )
    file = tmp_path / "two.launch.py"
    file.write_text(two("SIGINT", "SIGINT"))
    process = subprocess.Popen(
        [sys.executable, "-c", take, str(file)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": PATH, "ROS_LOG_DIR": str(tmp_path)},
        start_new_session=True,
    )
    os.close(theirs)
    text = ""
    while text.count("ready") < 2:
        text += os.read(ours, 4096).decode()
    os.write(ours, b"\x03")
    while True:
        try:
            text += os.read(ours, 4096).decode()
        except OSError:  # everybody has left the terminal
            break
    os.close(ours)
    assert process.wait() == 0, text
    assert [text.count(f"{name} got SIGINT") for name in NAMES] == [1, 1]
    assert "user interrupted with ctrl-c (SIGINT)" in text


def test_each_further_signal_is_firmer(start: Start) -> None:
    command = start(two("SIGTERM", "SIGKILL"))
    command.until("ready", "ready")
    command.process.send_signal(signal.SIGINT)
    command.until("got SIGINT", "got SIGINT")
    command.process.send_signal(signal.SIGINT)
    command.until("got SIGTERM", "got SIGTERM", "process has finished cleanly")
    command.process.send_signal(signal.SIGINT)
    assert command.end() == 0
    expected = [f"{name} got {word}" for name in NAMES for word in ("SIGINT", "SIGTERM")]
    assert told(command) == expected
    assert command.text.count("process has finished cleanly") == 1
    assert command.text.count("exit code -9") == 1


def test_processes_end_when_launch_is_killed(start: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    text = (
        "import sys\n"
        "from launch import LaunchDescription\n"
        "from launch.actions import ExecuteProcess\n"
        "CODE = 'import os, signal, sys; os.open(sys.argv[1], os.O_WRONLY);'\n"
        "CODE += 'os.write(1, b\"ready\\\\n\"); signal.pause()'\n"
        "def generate_launch_description():\n"
        "    cmd = [sys.executable, '-c', CODE, sys.argv[-1].partition(':=')[2]]\n"
        "    return LaunchDescription([ExecuteProcess(cmd=cmd, output='screen')])\n"
    )
    command = start(text, f"pipe:={tmp_path}/alive")
    command.until("ready")
    command.process.send_signal(signal.SIGKILL)
    assert command.end() == -signal.SIGKILL
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # its end: nobody has the pipe open any more
    os.close(reader)

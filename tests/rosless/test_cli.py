"""The command: what a person sees who looks around."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rosless.cli import main

SHOWN = Path(__file__).with_name("looked_at.py")


@pytest.fixture(scope="module", autouse=True)
def _shown() -> Iterator[None]:
    command = [sys.executable, "-m", "rosless", "run", str(SHOWN), "--ros-args", "-p", "speed:=2.5"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    if code:
        with pytest.raises(SystemExit) as failed:
            main([*words])
        return str(failed.value)
    assert main([*words]) == 0
    return capsys.readouterr().out


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "/cell/words [std_msgs/msg/String]" in told(capsys, "topic", "list", "-t").splitlines()
    assert told(capsys, "node", "list") == "/cell/shown\n"
    assert "/cell/light [std_srvs/srv/SetBool]" in told(capsys, "service", "list", "-t")


def test_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "topic", "echo", "/cell/words", "--once") == "data: grün\n---\n"
    rates = told(capsys, "topic", "hz", "/cell/words", "--timeout", "2.5")
    assert 10 < float(re.findall(r"average rate: ([\d.]+)", rates)[-1]) < 30


def test_asking(capsys: pytest.CaptureFixture[str]) -> None:
    call = ("service", "call", "/cell/light", "std_srvs/srv/SetBool")
    assert yaml.safe_load(told(capsys, *call, "{data: true}")) == {
        "success": True,
        "message": "on",
    }
    text = told(capsys, "service", "call", "/no", "std_srvs/srv/SetBool", "--timeout", "0", code=1)
    assert "nobody answers at '/no'" in text
    with pytest.raises(SystemExit, match=r"has no 'dat'; it has: data"):
        main([*call, "{dat: true}"])
    with pytest.raises(SystemExit, match="wanted YAML"):
        main([*call, "x"])


def test_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    node = "/cell/shown"
    assert told(capsys, "param", "get", node, "speed") == "2.5\n"
    assert told(capsys, "param", "set", node, "speed", "3.5") == "Set parameter successful\n"
    assert "Wrong parameter type" in told(capsys, "param", "set", node, "speed", "fast", code=1)
    assert told(capsys, "param", "get", node, "speed") == "3.5\n"
    assert "no parameter 'sped'" in told(capsys, "param", "get", node, "sped", code=1)
    assert "  camera.names\n" in told(capsys, "param", "list")
    assert "name: speed" in told(capsys, "param", "describe", node, "speed")
    assert "name: camera.names" in told(capsys, "param", "describe", node)


def test_a_command_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dance"]) == 2
    assert "launch" in capsys.readouterr().out

"""What is read of processes is what they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from benchmarks.processes import busy_s, children, command_of, nodes

WAITS = "print('ready', flush=True); input()"


def started(*words: str) -> subprocess.Popen[str]:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", WAITS, *words], **pipes)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_children_and_what_nodes_they_are() -> None:
    guard, other = started("--ros-args", "-r", "__node:=guard"), started("policy.finetune")
    try:
        assert {guard.pid, other.pid} <= set(children(os.getpid()))
        assert nodes(os.getpid())["guard"] == guard.pid
        assert other.pid not in nodes(os.getpid()).values()
        assert "policy.finetune" in command_of(other.pid)
    finally:
        for process in (guard, other):
            process.communicate("\n", timeout=20)
    assert "guard" not in nodes(os.getpid())
    assert children(guard.pid) == []
    assert command_of(guard.pid) == []


def test_time_at_work_grows_with_work() -> None:
    before = busy_s(os.getpid())
    while busy_s(os.getpid()) == before:
        sum(range(100_000))

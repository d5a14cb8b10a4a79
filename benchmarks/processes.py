"""What the kernel tells of processes: whom they started, and what time they had."""

from __future__ import annotations

import os
from pathlib import Path

NODE = "__node:="  # how a launch file names the node of a process


def busy_s(pid: int) -> float:
    """Of processor time that a process and all its threads have had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(parent: int) -> list[int]:
    """Of all its threads; none of a process that is gone."""
    found: list[int] = []
    for told in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            found += map(int, told.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def command_of(pid: int) -> list[str]:
    """The words that it was started by; none of a process that is gone."""
    try:
        told = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return told.decode(errors="replace").split("\0")


def nodes(launch: int) -> dict[str, int]:
    """The process of each node that a launch started."""
    return {
        word.removeprefix(NODE): child
        for child in children(launch)
        for word in command_of(child)
        if word.startswith(NODE)
    }

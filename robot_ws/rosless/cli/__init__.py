"""The `rosless` command: to run nodes and launch files, and to look around."""

from __future__ import annotations

import importlib
import sys

from rosless import ACTIVE

# Where each is, and what it is for.
COMMANDS = {
    "run": ("run:main", "a file, module or module:function that uses rclpy"),
    "launch": ("launch:main", "a launch file"),
    "topic": ("topic:topic", "list, echo, hz"),
    "node": ("nodes:node", "list"),
    "service": ("nodes:service", "list, call"),
    "param": ("nodes:param", "list, get, set, describe"),
}


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] not in COMMANDS:
        print("usage: rosless COMMAND ...\n")
        print("\n".join(f"  {name:8} {text}" for name, (_, text) in COMMANDS.items()))
        return 0 if not words or words[0] in ("-h", "--help") else 2
    if not ACTIVE and words[0] != "run":
        print(f"ROS 2 is installed here, and rosless out of its way: ros2 {' '.join(words)}")
        return 2
    module, _, function = COMMANDS[words[0]][0].partition(":")
    command = getattr(importlib.import_module(f"rosless.cli.{module}"), function)
    try:
        return int(command(words[1:]) or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read it has enough
        return 0

"""The `rosless` command: to run nodes and launch files, and to look around."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "run": "a file, module or module:function that uses rclpy",
    "launch": "a launch file",
    "topic": "list, echo, hz, pub",
    "node": "list",
    "service": "list, call",
    "param": "list, get, set, describe",
}


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] not in COMMANDS:
        print("usage: rosless COMMAND ...\n")
        print("\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items()))
        return 0 if not words or words[0] in ("-h", "--help") else 2
    command = importlib.import_module(f"rosless.cli.{words[0]}")
    try:
        return int(command.main(words[1:]) or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read it has enough
        return 0

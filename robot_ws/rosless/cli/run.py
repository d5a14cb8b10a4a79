"""rosless run TARGET [arguments]: a file, a module, or module:function, as with ROS around it."""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

USAGE = "rosless run FILE.py|MODULE|MODULE:FUNCTION [arguments] [--ros-args ...]"


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(f"usage: {USAGE}")
        return 0 if argv else 2
    target, *rest = argv
    sys.argv = [target, *rest]
    module, sep, function = target.partition(":")
    if sep:
        result = getattr(importlib.import_module(module), function)()
        return int(result or 0)
    if target.endswith(".py"):
        sys.path.insert(0, str(Path(target).resolve().parent))
        runpy.run_path(target, run_name="__main__")
    else:
        sys.path.insert(0, "")
        runpy.run_module(target, run_name="__main__", alter_sys=True)
    return 0

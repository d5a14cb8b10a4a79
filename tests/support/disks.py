"""Disks small enough to be full."""

from __future__ import annotations

import subprocess
from pathlib import Path


def mounted(directory: Path, options: str) -> bool:
    directory.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

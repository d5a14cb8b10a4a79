"""Ends what is left of launch's processes once launch is gone, however it went.

Launch runs this file, and keeps the pipe to its standard input open: a line `N` there says that
process N was started, first of the group of that number, and `-N` that it has ended. The kernel
closes that pipe whatever becomes of launch. All groups that are left by then are asked to end, then
made to.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

PATIENCE_S = 5.0  # per signal, as launch has it


def main() -> None:
    groups: set[int] = set()
    headless: set[int] = set()  # children are left
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
            headless |= {-number} if reaches(os.killpg, -number) else set()
    # Nobody gets the number of a group that lasts: who has it now has nothing to do with it.
    groups |= {group for group in headless if not reaches(os.kill, group)}
    for word in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        groups = {group for group in groups if reaches(os.killpg, group, word)}
        end = time.monotonic() + PATIENCE_S
        while groups and time.monotonic() < end:
            time.sleep(0.02)  # nothing tells of the end of processes that are not one's children
            groups = {group for group in groups if reaches(os.killpg, group)}


def reaches(kill: Callable[[int, int], None], number: int, word: int = 0) -> bool:
    """Whether there was somebody for this signal. 0 only asks."""
    try:
        kill(number, word)
    except ProcessLookupError:
        return False
    except PermissionError:
        return kill is os.kill  # there is somebody: for a group, nobody of ours
    return True


if __name__ == "__main__":
    main()

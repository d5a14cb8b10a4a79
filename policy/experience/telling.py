"""How a command ends that can be stopped and goes on where it was."""

from __future__ import annotations

import sys
from collections.abc import Callable

from .errors import MISTAKES


def exit_code(work: Callable[[], object]) -> int:
    """What kept it from its end is told in a line."""
    try:
        work()
    except MISTAKES as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command continues", file=sys.stderr)
        return 130
    return 0

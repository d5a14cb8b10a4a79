"""How much memory this process holds, looked at now and then.

libzmq bounds the size of a message's parts and how many messages wait, yet not the parts of one
message: who speaks its protocol by hand can send parts without end, and they are kept until the
last has come. There is no option against it (4.3), so the server watches what it holds.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

from policy.contract import Invalid

GROWTH = 64 << 20  # bytes: less, after dropping what could be dropped, is no reason to do it again
STATM = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's
LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def resident() -> int:
    """Bytes in memory; 0 where the system does not tell."""
    return int(STATM.read_text().split()[1]) * PAGE if STATM.exists() else 0


def keep_memory() -> None:
    """Let freed memory stay with the process. libzmq allocates each frame it receives, and glibc
    would return large ones to the system and fault them in again: half of a round trip."""
    if LIBRARY and hasattr(LIBRARY, "mallopt"):
        LIBRARY.mallopt(M_MMAP_THRESHOLD, 32 << 20)
        LIBRARY.mallopt(M_TRIM_THRESHOLD, 256 << 20)


def return_memory() -> None:
    if LIBRARY and hasattr(LIBRARY, "malloc_trim"):
        LIBRARY.malloc_trim(0)


class Watch:
    def __init__(self, limit: int, every_s: float = 0.1) -> None:
        held = resident()
        if limit <= held:
            found, wanted = f"{limit >> 20} MiB", f"more than the {held >> 20} MiB held already"
            raise Invalid("max_memory", found, wanted, "leave some for what robots send")
        self._limit, self._every_ns = limit, int(every_s * 1e9)
        self.every_ms = int(1e3 * every_s)
        self._looked, self._ceiling, self._was_exceeded = 0, limit, False

    def exceeded(self) -> bool:
        """Is it time to drop what is held for the network? What was left last time is not the
        network's, so that much and `GROWTH` more is let be: robots are not to be dropped without
        end where it is of no use."""
        now = time.monotonic_ns()
        if now - self._looked < self._every_ns:
            return False
        self._looked, held = now, resident()
        most = held + GROWTH
        self._ceiling = max(self._limit, most if self._was_exceeded else min(most, self._ceiling))
        self._was_exceeded = held > self._ceiling
        return self._was_exceeded

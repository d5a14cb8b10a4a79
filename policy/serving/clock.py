"""Whose clock is it? Stamps are only worth comparing when they are of one clock.

Stamps are nanoseconds of the sender's `time.monotonic_ns()`, and the name of that clock goes with
them. Where both sides read the same clock (one boot of one machine) stamps compare as they are.
Where they do not, only differences are used: the sender's clock is moved so that its sending time
falls on the arrival. What the network took is then seen by the client alone, which throws away
what comes too late.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from policy.contract import Invalid

STAMP = "stamp capture, sending and deadline by time.monotonic_ns()"


def _name() -> str:
    """Equal on two sides whose monotonic clocks are one: the same boot, the same time namespace."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")
    if not boot.exists():
        return uuid.uuid4().hex  # no way to tell: like no other
    return f"{boot.read_text().strip()} {os.readlink(namespace) if namespace.exists() else ''}"


CLOCK = _name()


def too_old(age_ns: int, most_ns: int) -> Invalid:
    """What to say of an observation that is not to be acted on."""
    found, wanted = f"{age_ns / 1e6:.1f} ms", f"up to {most_ns / 1e6:g} ms"
    return Invalid("observation age", found, wanted, "look at the camera and the way to the server")


def on_our_clock(
    clock: str, captured_ns: int, sent_ns: int, deadline_ns: int, arrived_ns: int, now_ns: int
) -> tuple[int, int]:
    """Capture and deadline of a request by this machine's clock; `Invalid` if they make no sense.
    `arrived_ns` is when it can have arrived at the earliest, so that time it may have spent
    waiting counts against it."""
    if captured_ns > sent_ns:
        raise Invalid("captured_ns", captured_ns, f"no later than sent_ns ({sent_ns})", STAMP)
    if deadline_ns < sent_ns:
        raise Invalid("deadline_ns", deadline_ns, f"no earlier than sent_ns ({sent_ns})", STAMP)
    if clock != CLOCK:
        shift = arrived_ns - sent_ns
        return captured_ns + shift, deadline_ns + shift
    if sent_ns > now_ns:
        raise Invalid("sent_ns", sent_ns, f"no later than now ({now_ns})", STAMP)
    return captured_ns, deadline_ns

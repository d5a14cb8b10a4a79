"""How late command, camera and gripper are, as far as one record tells."""

from __future__ import annotations

from policy.contract import Invalid

from . import entries
from .following import follows
from .image_motion import age
from .latency import Steps, dead_time
from .streams import Streams
from .write import Value


def late(streams: Streams) -> tuple[dict[str, Value], list[str]]:
    """Entries of the cell file, and a line about each of the three that was recorded."""
    values: dict[str, Value] = {}
    lines: list[str] = []
    tcp = streams.tcp
    if len(streams.commands):
        streams.needs("tcp")
        sent, told = streams.commands[:, 0], streams.commands[:, 1:4]
        found = follows(sent, told, tcp[:, 0], tcp[:, 1:4])
        lines.append(
            f"command: {1e3 * found.dead:.1f} ms dead time (sd {1e3 * found.error:.1f}), then a "
            f"lag of {1e3 * found.lag:.1f}; {1e3 * found.residual:.2f} mm are left"
        )
        values |= entries.latency("command", found)
    if len(streams.pictures):
        streams.needs("tcp")
        times, motion = streams.pictures[:, 0], streams.pictures[:, 1:]
        old = age(times, motion, tcp[:, 0], tcp[:, 1:4])
        lines.append(
            f"camera: {1e3 * old.mean:.1f} ms old (jitter {1e3 * old.jitter:.1f}); "
            f"{old.residual:.2f} px are left"
        )
        values |= entries.latency("camera", old)
    if len(streams.grips):
        streams.needs("gripper")
        before = float(streams.gripper[0, 1])
        steps = Steps(streams.grips[:, 0], streams.grips[:, 1], before, 0)
        dead = dead_time(steps, streams.gripper[:, 0], streams.gripper[:, 1])
        lines.append(f"gripper: {1e3 * dead.mean:.1f} ms (jitter {1e3 * dead.jitter:.1f})")
        values |= entries.latency("gripper", dead)
    if not values:
        wanted = "commands, pictures or grips"
        raise Invalid("streams", "nothing that is late", wanted, "record one of them")
    return values, lines

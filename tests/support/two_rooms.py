"""Two small logs that show the same scenes in different colours: a simulator's, and a cell's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.experience.episode import Action, EpisodeInfo, Frame, Observation
from policy.experience.log.writer import EpisodeWriter

SIZE = 16
SPEC = ActionSpec((ActionEntry("dx", "m", -0.04, 0.04),))
APERTURE = Entry("gripper_aperture", "m", 0.0, 0.08)


def scene(random: np.random.Generator, room: str, size: int = SIZE) -> Frame:
    """A box on a floor, in the room's colours."""
    floor, box = {"sim": ((60, 90, 160), 220), "cell": ((180, 130, 70), 40)}[room]
    frame = np.empty((size, size, 3), np.float64)
    frame[:] = floor
    y, x = random.integers(0, size - 5, 2)
    frame[y : y + 5, x : x + 5] = box
    frame += random.normal(0, 6, frame.shape)
    return frame.clip(0, 255).astype(np.uint8)


def write_room(
    log: Path, room: str, episodes: int = 6, steps: int = 7, raw: bool = False, **info: Any
) -> None:
    """The hand closes half-way through each episode; `raw`: frames as a camera has them."""
    log.mkdir(parents=True, exist_ok=True)
    shape = (24, 32) if raw else (SIZE, SIZE)
    interface = Interface(ObservationSpec((ImageSpec("front", *shape),), (APERTURE,)), SPEC, 0.2)
    for number in range(episodes):
        random = np.random.default_rng([number, len(room)])
        told = EpisodeInfo(interface, "offline", episode_id=f"{room}-{number}", **info)
        with EpisodeWriter(log, told, sync="episode") as writer:
            for k in range(steps + 1):
                frame = np.zeros((*shape, 3), np.uint8)
                side = min(shape)
                edge = (shape[1] - side) // 2
                frame[:, edge : edge + side] = scene(random, room, side)
                aperture = np.array([0.08 if k <= steps // 2 else 0.0], np.float32)
                seen = Observation({"front": frame}, aperture, (k + 1) * 200_000_000)
                if k == 0:
                    writer.reset(seen)
                    continue
                last, now = k == steps, k * 200_000_000 + 50_000_000
                action = Action(
                    np.zeros(1, np.float32), observation_age=0.05, stamp_ns=now, truncated=last
                )
                writer.step(action, seen)

"""Small logs of grasps, in a simulator that knows what it shows and in a cell that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from calibration import load_cell
from policy.contract import ImageSpec
from policy.contract.canonical import SURROUNDINGS, THINGS, canonical_mask
from policy.experience.episode import SIMULATOR, Action, EpisodeInfo, Frame, Observation, Verdict
from policy.experience.log.writer import EpisodeWriter

TWIN = Path(__file__).resolve().parents[2] / "calibration/cells/twin.yaml"
SIDE = 32
BOX = 8  # px
COLOURS = {"sim": ((60, 90, 160), 220), "cell": ((180, 130, 70), 40)}  # of a floor, and of a thing
OPEN, HOLDING = 0.08, 0.03  # m


def scene(random: np.random.Generator, room: str, corner: tuple[int, int]) -> tuple[Frame, Frame]:
    """A thing whose upper left is at the corner (y, x), and the mask."""
    floor, thing = COLOURS[room]
    frame = np.empty((SIDE, SIDE, 3), np.float64)
    frame[:] = floor
    mask = np.full((SIDE, SIDE, 1), SURROUNDINGS, np.uint8)
    y, x = corner
    frame[y : y + BOX, x : x + BOX] = thing
    mask[y : y + BOX, x : x + BOX] = THINGS
    frame += random.normal(0, 6, frame.shape)
    return frame.clip(0, 255).astype(np.uint8), mask


def write_grasps(
    log: Path, room: str, episodes: int = 6, steps: int = 6, masks: bool = True
) -> None:
    """In each, the hand stays where it is, and closes at last; every other time it holds."""
    log.mkdir(parents=True, exist_ok=True)
    interface = load_cell(TWIN).interface(("front",), 2)
    images = [ImageSpec("front", SIDE, SIDE)]
    if masks:
        images.append(ImageSpec(canonical_mask("front"), SIDE, SIDE, 1))
    seen = replace(interface.observation, images=tuple(images))
    interface = replace(interface, observation=seen)
    for number in range(episodes):
        random = np.random.default_rng([number, len(room)])
        won = number % 2 == 0
        info = EpisodeInfo(interface, "offline", episode_id=f"{room}-{number}", seed=number)
        x, y = random.integers(0, SIDE - BOX, 2)
        with EpisodeWriter(log, info, sync="episode") as writer:
            for k in range(steps + 1):
                last = k == steps
                aperture = OPEN if k < steps - 1 else HOLDING if won else 0.0
                proprio = np.array([aperture, 0.5, 0.0, 0.1, 0.0], np.float32)
                shown = scene(random, room, (y, x))
                frames = {image.name: one for image, one in zip(images, shown, strict=False)}
                observation = Observation(frames, proprio, (k + 1) * 200_000_000)
                if k == 0:
                    writer.reset(observation)
                    continue
                executed = random.uniform(interface.action.low, interface.action.high)
                action = Action(
                    interface.action.executed(executed.astype(np.float32)),
                    observation_age=0.05,
                    stamp_ns=k * 200_000_000 + 50_000_000,
                    reward=float(last and won),
                    terminated=last,
                )
                writer.step(action, observation)
            writer.verdict(Verdict(SIMULATOR, won))

"""A small log as `sim.collect --canonical` writes it: a box on a floor in any colours, beside the
same in the plain ones, its depth and its mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from two_rooms import APERTURE, SIZE, SPEC

from policy.contract import ImageSpec, Interface, ObservationSpec
from policy.contract.canonical import BIN, THINGS, canonical, canonical_depth, canonical_mask
from policy.contract.depth import UNKNOWN
from policy.experience.episode import Action, EpisodeInfo, Frame, Observation
from policy.experience.log.writer import EpisodeWriter

CAMERA, BOX = "front", 5
FLOOR, PAINT = (60, 90, 160), 220
IMAGES = (
    ImageSpec(CAMERA, SIZE, SIZE),
    ImageSpec(canonical(CAMERA), SIZE, SIZE),
    ImageSpec(canonical_depth(CAMERA), SIZE, SIZE, 1, (0.2, 2.0)),
    ImageSpec(canonical_mask(CAMERA), SIZE, SIZE, 1),
)


def coloured(random: np.random.Generator, mask: Frame) -> Frame:
    """The scene in colours of its own."""
    floor, box = random.permutation([random.integers(0, 100, 3), random.integers(120, 256, 3)])
    frame = np.where(mask >= THINGS, box, floor) + random.normal(0, 6, (SIZE, SIZE, 3))
    picture: Frame = frame.clip(0, 255).astype(np.uint8)
    return picture


def masked(random: np.random.Generator) -> Frame:
    mask = np.full((SIZE, SIZE, 1), BIN, np.uint8)
    y, x = random.integers(0, SIZE - BOX, 2)
    mask[y : y + BOX, x : x + BOX] = THINGS + random.integers(3)
    return mask


def paired(random: np.random.Generator) -> dict[str, Frame]:
    mask = masked(random)
    depth = np.where(mask >= THINGS, 120, 200).astype(np.uint8)
    depth[0, 0] = UNKNOWN
    plain = np.where(mask >= THINGS, PAINT, np.array(FLOOR)).astype(np.uint8)
    frames = (coloured(random, mask), plain, depth, mask)
    return {image.name: frame for image, frame in zip(IMAGES, frames, strict=True)}


def write_pairs(log: Path, episodes: int = 6, steps: int = 7) -> None:
    log.mkdir(parents=True, exist_ok=True)
    interface = Interface(ObservationSpec(IMAGES, (APERTURE,)), SPEC, 0.2)
    aperture = np.zeros(1, np.float32)
    for number in range(episodes):
        random = np.random.default_rng([number, 7])
        told = EpisodeInfo(interface, "offline", episode_id=f"pair-{number}")
        with EpisodeWriter(log, told, sync="episode") as writer:
            writer.reset(Observation(paired(random), aperture, 1))
            for k in range(steps):
                action = Action(np.zeros(1, np.float32), truncated=k == steps - 1)
                writer.step(action, Observation(paired(random), aperture, k + 2))

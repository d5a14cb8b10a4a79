"""Sets of pictures out of experience logs, at one size. Some episodes are held out; which, their
names alone decide."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from policy.contract import ImageSpec, Invalid, Preprocessing
from policy.contract.canonical import canonical_mask
from policy.experience.episode import Episode, EpisodeInfo, told
from policy.experience.log import open_index, read_episode
from policy.experience.log.index import Entry
from policy.experience.log.reader import read_summary
from policy.networks.reduce import Reduce

from .data import Domain, Pictures, Unpaired
from .states import State, states_of

HELD_OUT = 0.2  # of the episodes


@dataclass(frozen=True)
class Split:
    train: Domain
    held_out: Domain


def read_domain(name: str, log: Path, camera: str, size: int, judged: bool = False) -> Split:
    """What the log has of the camera, at `size` px; raw frames are reduced as a policy's are.
    `judged`: of episodes alone whose outcome is known."""
    with open_index(log) as index:
        every = sorted(index, key=_number)
    entries = [one for one in every if not judged or told(one) or one.success is not None]
    if len(entries) < 2:
        found = f"{len(entries)} {'judged ' * judged}episodes in {log}"
        raise Invalid(name, found, "2 or more, one of them to hold out", "collect some")
    # By its name alone: as a log grows, an episode stays on its side.
    held = [one for one in entries if _number(one) < HELD_OUT] or entries[:1]
    held = held[: len(entries) - 1]
    train = entries[len(held) :]
    return Split(*(_domain(name, camera, size, some) for some in (train, held)))


def _number(entry: Entry) -> float:
    """From 0 to 1, by chance and always the same."""
    return zlib.crc32(entry.episode_id.encode()) / 2**32


def _domain(name: str, camera: str, size: int, entries: Sequence[Entry]) -> Domain:
    pictures, logged = list[Pictures](), list[Episode]()
    states, episodes = list[State](), list[str]()
    mask = canonical_mask(camera)
    for entry in entries:
        episode = read_episode(entry.path)
        pictures.append(frames_of(name, episode, camera, size))
        states += states_of(episode)
        episodes += [entry.episode_id] * (len(episode) + 1)
        masks = {image: frames for image, frames in episode.images.items() if image == mask}
        logged.append(replace(episode, images=masks, verdicts=entry.verdicts))
    return Domain(name, np.concatenate(pictures), tuple(states), tuple(episodes), tuple(logged))


def read_unpaired(
    sim: Path, cell: Path, camera: str, size: int, judged: bool = False
) -> tuple[Unpaired, Unpaired]:
    """To train on, and held out."""
    ours, theirs = (
        read_domain(name, log, camera, size, judged) for name, log in (("sim", sim), ("cell", cell))
    )
    train = Unpaired.of(ours.train, theirs.train)
    return train, Unpaired.of(ours.held_out, theirs.held_out)


def interface_of(log: Path, camera: str, size: int) -> EpisodeInfo:
    """Of the log's first episode, as if the camera were the only one and its frames of `size`."""
    with open_index(log) as index:
        first = next(iter(index))
    info = read_summary(first.path).info
    assert info is not None  # the index holds episodes alone
    seen = replace(info.interface.observation, images=(ImageSpec(camera, size, size),))
    return replace(info, interface=replace(info.interface, observation=seen))


def frames_of(name: str, episode: Episode, camera: str, size: int) -> Pictures:
    where = f"{name}: {episode.info.episode_id}"
    frames = episode.images.get(camera)
    if frames is None:
        found, wanted = ", ".join(sorted(episode.images)), f"a camera named {camera}"
        raise Invalid(where, found, wanted, "name another, or record it")
    _, height, width, channels = frames.shape
    if channels != 3 or min(height, width) < size:
        found, wanted = f"{height}x{width}x{channels}", f"{size} px or more, in colour"
        raise Invalid(f"{where}: {camera}", found, wanted, "name a colour camera, or a lesser size")
    if (height, width) == (size, size):
        return frames
    side = min(height, width)
    crop = ((height - side) // 2, (width - side) // 2, side, side)
    reduce = Reduce(Preprocessing(camera, crop, (size, size), scale=1.0))
    small = [reduce(torch.from_numpy(frames[k : k + 16])) for k in range(0, len(frames), 16)]
    levels = torch.cat(small).round().clamp(0, 255).byte()
    pictures: Pictures = levels.permute(0, 2, 3, 1).contiguous().numpy()
    return pictures

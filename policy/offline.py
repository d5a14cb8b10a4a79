"""From logs into the ring that a run learns from, at the size of its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from policy.contract import Deployment, Interface
from policy.experience.episode import Episode, told
from policy.experience.errors import ExperienceError
from policy.experience.fill import fill
from policy.experience.log.index import Index
from policy.experience.replay.ringwriter import RingWriter
from policy.networks.reduce import Reduce


def open_ring(path: Path, interface: Interface, capacity: int) -> RingWriter:
    """The ring at `path`, made if it is not there yet."""
    if (path / "meta.json").exists():
        return RingWriter(path)
    return RingWriter.create(path, interface, capacity)


def require_logs(logs: Sequence[str]) -> None:
    """That they can be opened, before anything is made of them."""
    for log in logs:
        Index(Path(log)).close()


def load_logs(ring: RingWriter, logs: Sequence[str], deployment: Deployment) -> int:
    """What of the logs the ring has not had; raw frames are reduced as the exported graph will.
    Returns the episodes added. An episode that does not fit is refused by name; one of a cell that
    nobody has judged yet is left out."""
    added = 0
    for log in logs:
        index = Index(Path(log))
        try:
            entries = list(index)
        finally:
            index.close()
        judging = any(entry.verdicts for entry in entries)
        for judged in (False, True):
            chosen = [one for one in entries if (judging and not told(one)) == judged]
            done = fill(ring, chosen, lambda episode: reduced(episode, deployment), judged)
            if done.problems:
                raise ExperienceError("\n".join(map(str, done.problems[:3])))
            added += done.added
    return added


def reduced(episode: Episode, deployment: Deployment) -> Episode:
    """The episode with what the network sees of it: frames of its size, and of proprioception no
    more than the task tells. What is missing the ring refuses."""
    images, episode = dict(episode.images), _known(episode, deployment.interface)
    for image in deployment.interface.observation.images:
        [step] = [one for one in deployment.preprocessing if one.image == image.name]
        frames = images.get(image.name)
        if frames is None or frames.shape[1:3] == step.size:
            continue
        if frames.shape[1:] != image.shape:
            found, wanted = frames.shape[1:], f"{step.size} or the raw {image.shape}"
            raise ExperienceError(
                f"episode {episode.info.episode_id}: images.{image.name}: found {found}, wanted "
                f"{wanted}; collect at the task's size, or set task.size"
            )
        # Back to bytes, which is what a ring holds: scale and offset come behind it.
        reduce = Reduce(replace(step, scale=1.0, offset=0.0))
        small = torch.cat(
            [reduce(torch.from_numpy(frames[k : k + 16])) for k in range(0, len(frames), 16)]
        )
        pictures = small.permute(0, 2, 3, 1).round().clamp(0, 255).byte().numpy()
        images[image.name] = np.ascontiguousarray(pictures)
    return replace(episode, images=images)


def _known(episode: Episode, wanted: Interface) -> Episode:
    logged = episode.info.interface.observation
    columns = [k for k, entry in enumerate(logged.proprio) if entry in wanted.observation.proprio]
    kept = replace(logged, proprio=tuple(logged.proprio[k] for k in columns))
    interface = replace(episode.info.interface, observation=kept)
    return replace(
        episode,
        info=replace(episode.info, interface=interface),
        proprio=np.ascontiguousarray(episode.proprio[:, columns]),
    )

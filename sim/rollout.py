"""One episode of a scripted policy, and its record in the log."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from policy.experience.episode import (
    SIMULATOR,
    Action,
    Driver,
    EpisodeInfo,
    FloatArray,
    Observation,
    Verdict,
)
from policy.experience.log.writer import EpisodeWriter

from .env import BinGrasp
from .env import Observation as Seen
from .scripted import Expert, Scripted

TASK = "regrasp/BinGrasp-v0"
SOURCES = {"scripted": "offline", "expert": "demonstration"}


class Script(Protocol):
    def act(self) -> FloatArray: ...


def script(name: str, env: BinGrasp, seed: int) -> Scripted | Expert:
    # A stream of its own: the environment's starts from the seed alone.
    return Expert(env) if name == "expert" else Scripted(env, np.random.default_rng([seed, 1]))


def record(
    env: BinGrasp,
    policy: str,
    seed: int,
    directory: Path,
    episode_id: str,
) -> tuple[int, bool]:
    """Returns the number of actions, and whether it succeeded."""
    seen, _ = env.reset(seed=seed)
    who = script(policy, env, seed)
    who.reset()
    info = EpisodeInfo(
        env.interface,
        SOURCES[policy],
        task=TASK,
        cell_id=env.cell.id,
        cell_fingerprint=env.cell.fingerprint,
        seed=seed,
        parameters=env.recorded_parameters(),
        episode_id=episode_id,
    )
    return write(env, seen, who, policy, info, directory)


def write(
    env: BinGrasp, seen: Seen, who: Script, version: str, info: EpisodeInfo, directory: Path
) -> tuple[int, bool]:
    """The episode that has begun, to its end."""
    with EpisodeWriter(directory, info, sync="episode") as writer:
        observation = _observation(env, seen)
        writer.reset(observation)
        done = False
        while not done:
            # The world's own time: nothing is computed while it goes on.
            now = round(env.world.time * 1e9)
            executed = who.act()
            seen, reward, terminated, truncated, known = env.step(executed)
            done = terminated or truncated
            action = Action(
                executed,
                Driver.SCRIPT,
                policy_version=version,
                observation_age=(now - observation.stamp_ns) / 1e9,
                stamp_ns=now,
                reward=reward,
                terminated=terminated,
                truncated=truncated,
            )
            observation = _observation(env, seen)
            writer.step(action, observation)
        writer.verdict(Verdict(SIMULATOR, known["success"]))
    return known["steps"], known["success"]


def _observation(env: BinGrasp, seen: Seen) -> Observation:
    images = {name: seen[name] for name in env.interface.observation.cameras}
    return Observation(images, seen["proprio"], round(env.captured * 1e9))

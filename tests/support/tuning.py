"""A robot's log, a start and a configuration, small enough to fine-tune in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from policy.config import FinetuneConfig, TrainConfig, from_mapping, make_learner
from policy.contract import (
    ActionEntry,
    ActionSpec,
    Deployment,
    ImageSpec,
    Interface,
    ObservationSpec,
)
from policy.experience.episode import (
    Action,
    Driver,
    EpisodeInfo,
    Observation,
    Verdict,
    new_episode_id,
)
from policy.experience.log.writer import EpisodeWriter
from policy.progress import Progress
from policy.run import Run

SEEN = Interface(
    ObservationSpec((ImageSpec("front", 16, 16),), ()),
    ActionSpec((ActionEntry("dx", "m", -1.0, 1.0), ActionEntry("dy", "m", -1.0, 1.0))),
    0.2,
)
DEPLOYMENT = Deployment.as_seen("bench", SEEN)
STEPS = 5


def trained(**fields: Any) -> TrainConfig:
    critic = {"norm": "layer", "width": 8, "hidden": 16}
    qtopt = {"action_window": 0, "critic": critic, "cem": {"samples": 8, "elites": 2}, "n_step": 3}
    values = {"task": {"id": "Bench-v0"}, "qtopt": qtopt, "batch": 8, "minutes": 1.0, **fields}
    return from_mapping(values)


def make_start(directory: Path) -> Path:
    """A run's directory, as policy.train leaves it."""
    config = trained()
    with Run(directory, config, DEPLOYMENT) as run:
        run.save(make_learner(config, DEPLOYMENT), Progress())
    return directory


def tuning(start: Path, log: Path, **fields: Any) -> FinetuneConfig:
    small = {"offline_capacity": 400, "online_capacity": 400, **fields.pop("data", {})}
    few = {"first_update": 10, "offer_every": 1000, "demonstration_capacity": 200}
    return FinetuneConfig.of({"start": str(start), "log": str(log), "data": small, **few, **fields})


def play(
    log: Path,
    success: bool | None = None,
    human: tuple[int, ...] = (),
    other: Driver = Driver.POLICY,
    steps: int = STEPS,
    **info: Any,
) -> str:
    """A robot's episode; `human` are the actions that a person drove, not the `other`.
    Its id."""
    told = EpisodeInfo(SEEN, **{"source": "online", "episode_id": new_episode_id(), **info})
    random = np.random.default_rng(abs(hash(told.episode_id)) % 2**32)

    def see(k: int) -> Observation:
        frame = random.integers(0, 256, (16, 16, 3), np.uint8)
        return Observation({"front": frame}, np.zeros(0, np.float32), told.stamp_ns + k)

    with EpisodeWriter(log, told, sync="episode") as writer:
        writer.reset(see(0))
        for k in range(steps):
            executed = random.uniform(-1, 1, 2).astype(np.float32)
            driver = Driver.HUMAN if k in human else other
            # The judge speaks after the rollout: the robot itself knows of no reward.
            writer.step(Action(executed, driver, truncated=k == steps - 1), see(k + 1))
        if success is not None:
            writer.verdict(Verdict("subtraction", success))
    return told.episode_id

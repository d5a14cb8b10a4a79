"""What a training run is: every choice by name, from the files in conf/ and the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from policy import environments
from policy.contract import Deployment, Invalid, Strict, decode, encode
from policy.environments import Environments
from policy.learners.drqv2 import DrQv2, DrQv2Config
from policy.learners.learner import Learner
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.progress import Progress

SEEDS, APART = 900, 1_000_003  # of runs; each has so many episodes to itself
LEAST_RATE = 0.05  # of the learning rate, at the end of a run that slows down


@dataclass(frozen=True)
class TaskConfig(Strict):
    """A gymnasium task, as `module:Name-v0` if a module has to be imported to know it."""

    id: str
    size: int = 64  # px, of what the network sees
    envs: int = 16
    processes: int = 1  # of tasks that are not the cell's: 1, or one for each of `envs`
    repeat: int = 1  # steps an action lasts; of tasks without an interface of their own
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataConfig(Strict):
    logs: tuple[str, ...] = ()  # experience logs to begin with
    # Of what a batch has of logs, that of each, in any unit: simulated, translated, real. None: as
    # much as there is of it.
    shares: tuple[float, ...] = ()
    offline_capacity: int = 100_000  # frames; with shares, of each log
    online_capacity: int = 300_000
    success_share: float | None = 0.5  # of each batch; None: as it comes
    # The online share of each batch, at first and after so many transitions.
    online_share: tuple[float, float] = (0.01, 0.5)
    ramp: int = 50_000

    def __post_init__(self) -> None:
        if self.shares and len(self.shares) != len(self.logs):
            found, wanted = f"{len(self.shares)} shares", f"{len(self.logs)}, one for each log"
            raise Invalid("shares", found, wanted, "give each of data.logs its own, or none any")
        if self.shares and not (min(self.shares) >= 0 and 0 < sum(self.shares) < math.inf):
            remedy = "give each log's weight in a batch"
            raise Invalid("shares", self.shares, "0 or more, some of them more", remedy)

    def share(self, transitions: int) -> float:
        first, last = self.online_share
        return first + (last - first) * min(transitions / max(self.ramp, 1), 1.0)


@dataclass(frozen=True)
class EvaluationConfig(Strict):
    every_minutes: float = 5.0
    episodes: int = 100
    final_episodes: int = 300
    envs: int = 16
    processes: int = 2


@dataclass(frozen=True)
class TrainConfig(Strict):
    """`minutes` counts training only: what evaluations take is not in it. Zero is offline alone."""

    task: TaskConfig
    learner: Literal["qtopt", "drqv2"] = "qtopt"
    qtopt: QTOptConfig = field(default_factory=QTOptConfig)
    drqv2: DrQv2Config = field(default_factory=DrQv2Config)
    data: DataConfig = field(default_factory=DataConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    name: str = "policy"
    seed: int = 0
    batch: int = 64
    offline_updates: int = 0
    minutes: float = 0.0
    first_update: int = 0  # after so many transitions online
    updates_per_step: float = 0.125
    decay: float = 1.0  # from this share of the run on, the learning rate falls, to LEAST_RATE
    save_minutes: float = 5.0
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise Invalid("seed", self.seed, f"0 to {SEEDS - 1}", "beyond lie held-out episodes")
        if not 0 <= self.decay <= 1:
            raise Invalid("decay", self.decay, "0 to 1", "1 is never")
        if self.offline_updates and not self.data.logs:
            found = f"{self.offline_updates} without a log"
            raise Invalid("offline_updates", found, "0, or data.logs", "name a log to learn from")
        if not self.offline_updates and not self.minutes:
            raise Invalid("minutes", 0, "more, or offline_updates", "say how long to train")

    def plain(self) -> dict[str, Any]:
        """As data, without what the run has no use for."""
        values: dict[str, Any] = encode(self)
        del values[{"qtopt": "drqv2", "drqv2": "qtopt"}[self.learner]]
        if not self.data.shares:
            del values["data"]["shares"]
        return values

    def rate(self, progress: Progress) -> float:
        """The share of the learning rate that is right now."""
        if self.minutes:
            done = progress.seconds / (60 * self.minutes)
        else:
            done = progress.updates / self.offline_updates
        done = min(done, 1.0)
        if done <= self.decay:
            return 1.0
        return max((1 - done) / (1 - self.decay), LEAST_RATE)


@dataclass(frozen=True)
class FinetuneConfig(Strict):
    """A policy goes on learning from the log of the robot that it drives."""

    start: str  # a run's directory, or a file of policy.start
    log: str  # where the robot's episodes appear
    data: DataConfig = DataConfig(online_capacity=200_000, online_share=(0.25, 0.75), ramp=10_000)
    # Of each batch, what a person drove or showed, once there are so many steps of it: HIL-SERL's
    # half, but not half a batch out of a handful.
    demonstration_share: float = 0.5
    demonstration_ramp: int = 1000
    demonstration_capacity: int = 50_000
    updates_per_step: float = 2.0  # never more, however long nothing comes
    # After so many steps: a million weights soon know a few hundred grasps by heart.
    first_update: int = 20_000
    # Where the cell's cameras are, if not (any more) where the cell file had them in training.
    views: str | None = None  # a file: `View`s as a JSON list
    rate: float = 0.2  # of the learning rate that it was trained with
    offer_every: int = 1000  # updates
    offers_kept: int = 5
    seed: int = 0
    save_seconds: float = 60.0
    report_seconds: float = 10.0
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.data.shares:
            remedy = "leave it out: logs are mixed by how much each has"
            raise Invalid("data.shares", self.data.shares, "none", remedy)
        for name in ("demonstration_share", "rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise Invalid(name, getattr(self, name), "0 to 1", "it is a share")
        for name in ("offer_every", "offers_kept"):
            if getattr(self, name) < 1:
                raise Invalid(name, getattr(self, name), "1 or more", "say how many")
        for name in ("updates_per_step", "save_seconds", "report_seconds"):
            if getattr(self, name) <= 0:
                raise Invalid(name, getattr(self, name), "more than 0", "say how often")

    def plain(self) -> dict[str, Any]:
        values: dict[str, Any] = encode(self)
        del values["data"]["shares"]
        return values

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> FinetuneConfig:
        return decode(cls, dict(values), "fine-tuning configuration")


def make_envs(
    task: TaskConfig, count: int, processes: int, size: int | None = None
) -> Environments:
    """`size` where the task is not to be seen as its network sees it."""
    seen = task.size if size is None else size
    return environments.make(task.id, count, seen, processes, task.repeat, task.arguments)


def make_learner(config: TrainConfig, deployment: Deployment) -> Learner:
    device = torch.device(config.device)
    if config.learner == "drqv2":
        return DrQv2(deployment.seen, config.drqv2, device)
    return QTOpt(deployment.seen, config.qtopt, device, deployment)


def from_mapping(values: Mapping[str, Any]) -> TrainConfig:
    return decode(TrainConfig, dict(values), "training configuration")

"""What many tests need: a small interface, and episodes made of real arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.experience.episode import Action, Driver, Episode, EpisodeInfo, Observation, Verdict
from policy.experience.log.writer import EpisodeWriter

INTERFACE = Interface(
    ObservationSpec(
        (ImageSpec("front", 12, 16), ImageSpec("wrist", 8, 8)),
        (Entry("gripper_aperture", "m", 0.0, 0.08), Entry("tcp_height", "m", 0.0, 0.3)),
    ),
    ActionSpec(
        (
            ActionEntry("dx", "m", -0.04, 0.04),
            ActionEntry("dyaw", "rad", -0.35, 0.35),
            ActionEntry("gripper_close", "1", 0.0, 1.0, threshold=0.5),
        )
    ),
    0.2,
)


def make_info(**fields: Any) -> EpisodeInfo:
    return EpisodeInfo(**{"interface": INTERFACE, "source": "offline", **fields})


def make_observation(random: np.random.Generator, stamp_ns: int = 0) -> Observation:
    spec = INTERFACE.observation
    images = {i.name: random.integers(0, 256, i.shape, np.uint8) for i in spec.images}
    return Observation(images, random.random(len(spec.proprio), np.float32), stamp_ns)


def make_action(random: np.random.Generator, k: int, **fields: Any) -> Action:
    """The k-th action; every second one was driven by a person."""
    spec = INTERFACE.action

    def draw() -> Any:
        return random.uniform(spec.low, spec.high).astype(np.float32)

    return Action(
        **{
            "executed": draw(),
            "policy": draw(),
            "human": draw() if k % 2 else None,
            "driver": Driver.HUMAN if k % 2 else Driver.POLICY,
            "q": 0.25 * k,
            "policy_version": "v1",
            "observation_age": 0.05,
            "stamp_ns": 2_000_000_000 + k,
            "reward": float(k),
            **fields,
        }
    )


def write_episode(
    directory: Path, steps: int = 5, seed: int = 0, terminated: bool = True, **info: Any
) -> tuple[Path, list[Observation], list[Action]]:
    """Write an episode of `steps` actions; returns its file and what went into it."""
    random = np.random.default_rng(seed)
    observations = [make_observation(random, 1_000_000_000 + k) for k in range(steps + 1)]
    actions = [make_action(random, k) for k in range(steps - 1)]
    actions.append(make_action(random, steps - 1, terminated=terminated, truncated=not terminated))
    with EpisodeWriter(directory, make_info(seed=seed, **info)) as writer:
        writer.reset(observations[0])
        for action, observation in zip(actions, observations[1:], strict=True):
            writer.step(action, observation)
    return writer.path, observations, actions


TINY = Interface(
    ObservationSpec((ImageSpec("front", 2, 2),), (Entry("x", "1", -1e9, 1e9),)),
    ActionSpec((ActionEntry("dx", "m", -1e9, 1e9),)),
    0.2,
)


def counting_episode(
    number: int, steps: int, terminated: bool = True, success: bool | None = None
) -> Episode:
    """An episode that can be recognised anywhere: at step k its frame shows k (mod 256) and, in
    its last pixel, `number`; proprio is k, the action that led to it and its reward are
    100 number + k."""
    ks = np.arange(steps + 1)
    frames = np.zeros((steps + 1, 2, 2, 3), np.uint8)
    frames[:, 0, 0, 0] = ks % 256
    frames[:, 1, 1, 2] = number % 256
    told = (100 * number + ks).astype(np.float32)
    told[0] = 0.0
    verdicts = () if success is None else (Verdict("truth", success),)
    column = told[:, None]
    return Episode(
        info=make_info(interface=TINY, episode_id=f"episode-{number}", stamp_ns=number),
        images={"front": frames},
        proprio=ks.astype(np.float32)[:, None],
        executed=column,
        policy=column,
        human=np.full_like(column, np.nan),
        driver=(ks > 0).astype(np.uint8),
        q=np.full(steps + 1, np.nan, np.float32),
        reward=told,
        observation_age=np.zeros(steps + 1, np.float32),
        capture_ns=ks.astype(np.int64),
        execution_ns=ks.astype(np.int64),
        policy_version=("",) * (steps + 1),
        terminated=terminated,
        truncated=not terminated,
        recovered=False,
        verdicts=verdicts,
    )

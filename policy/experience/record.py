"""Record any gymnasium environment that draws itself into the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import gymnasium
import numpy as np

from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec

from .episode import Action, Driver, EpisodeInfo, FloatArray, Frame, Observation
from .errors import ExperienceError
from .log.writer import EpisodeWriter

CAMERA = "front"
Act = Callable[[Observation], FloatArray]


def interface_of(env: gymnasium.Env[Any, Any], size: tuple[int, int]) -> Interface:
    """The contract of an environment with flat observations and actions, seen at `size` (h, w)."""
    for field, space in (("action", env.action_space), ("observation", env.observation_space)):
        if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
            raise ExperienceError(
                f"{field}_space: found {space}, wanted a flat Box; flatten it with a wrapper"
            )
    if env.render_mode != "rgb_array":
        found = repr(env.render_mode)
        raise ExperienceError(f"render_mode: found {found}, wanted 'rgb_array'; make it so")
    proprio = tuple(
        Entry(f"s{i}", "1", *ends) for i, ends in enumerate(_bounds(env.observation_space))
    )
    action = tuple(
        ActionEntry(f"a{i}", "1", *ends) for i, ends in enumerate(_bounds(env.action_space))
    )
    observation = ObservationSpec((ImageSpec(CAMERA, *size),), proprio)
    return Interface(observation, ActionSpec(action), 1.0 / env.metadata["render_fps"])


def _bounds(space: Any) -> list[tuple[float, float]]:
    """(low, high) of each entry; where the space is unbounded, all that float32 can hold."""
    ends = np.nan_to_num(np.stack([space.low, space.high], axis=1).astype(np.float32))
    return [(float(low), float(high)) for low, high in ends]


def record_episodes(
    env: gymnasium.Env[Any, Any],
    directory: Path,
    episodes: int,
    size: tuple[int, int],
    act: Act | None = None,
    *,
    seed: int = 0,
    source: str = "offline",
    policy_version: str = "random",
) -> Iterator[Path]:
    """Run whole episodes (random actions without `act`) and yield each one's file."""
    interface = interface_of(env, size)
    random = np.random.default_rng(seed)
    low, high = interface.action.low, interface.action.high

    def at_random(_: Observation) -> FloatArray:
        return random.uniform(low, high).astype(np.float32)

    for number in range(episodes):
        info = EpisodeInfo(
            interface, source, task=env.spec.id if env.spec else "", seed=seed + number
        )
        with EpisodeWriter(directory, info, sync="episode") as writer:
            state, _ = env.reset(seed=info.seed)
            # Simulated time: the world stands still while we draw and think, so an observation
            # is never old.
            now = info.stamp_ns
            observation = _observe(env, state, size, now)
            writer.reset(observation)
            done = False
            while not done:
                wanted = (act or at_random)(observation)
                executed = interface.action.executed(wanted)
                state, reward, terminated, truncated, _ = env.step(executed)
                action = Action(
                    executed,
                    Driver.POLICY if act else Driver.SCRIPT,
                    policy=wanted,
                    policy_version=policy_version,
                    stamp_ns=now,
                    reward=float(reward),
                    terminated=terminated,
                    truncated=truncated,
                )
                now += round(interface.control_period_s * 1e9)
                observation = _observe(env, state, size, now)
                writer.step(action, observation)
                done = terminated or truncated
        yield writer.path


def _observe(
    env: gymnasium.Env[Any, Any], state: Any, size: tuple[int, int], stamp_ns: int
) -> Observation:
    frame: Any = env.render()
    if frame.shape[:2] != size:
        frame = cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA)
    images: Mapping[str, Frame] = {CAMERA: frame}
    return Observation(images, np.asarray(state, np.float32), stamp_ns)

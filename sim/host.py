"""A worker's share of a vector of environments: what it is asked, does and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gymnasium.vector.utils import read_from_shared_memory, write_to_shared_memory

from .env import BinGrasp


@dataclass(frozen=True)
class Shared:
    """Observations and actions, which would cost too much to send: they lie in memory that all
    processes see. An environment has two slots: what it sees now, and, `count` further on, what it
    saw last in the episode before."""

    count: int
    observations: Any
    actions: Any


@dataclass(frozen=True)
class Reset:
    env: int
    seed: int | None
    options: dict[str, Any] | None


@dataclass(frozen=True)
class Step:
    env: int


@dataclass(frozen=True)
class Answer:
    env: int
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


@contextmanager
def host(
    number: int, mine: list[range], shared: Shared, arguments: dict[str, Any]
) -> Iterator[Callable[[Reset | Step], Answer]]:
    """A worker's environments; they share the process's renderer."""
    envs = {env: BinGrasp(**arguments) for env in mine[number]}
    some = next(iter(envs.values()))
    actions: Any = read_from_shared_memory(some.action_space, shared.actions, shared.count)

    def show(slot: int, observation: Any) -> None:
        write_to_shared_memory(some.observation_space, slot, observation, shared.observations)

    def serve(request: Reset | Step) -> Answer:
        env = envs[request.env]
        if isinstance(request, Reset):
            observation, info = env.reset(seed=request.seed, options=request.options)
            show(request.env, observation)
            return Answer(request.env, 0.0, False, False, info)
        observation, reward, terminated, truncated, info = env.step(actions[request.env].copy())
        if terminated or truncated:
            show(shared.count + request.env, observation)
            ended = info
            observation, info = env.reset()
            info["final_info"] = ended
        show(request.env, observation)
        return Answer(request.env, reward, terminated, truncated, info)

    try:
        yield serve
    finally:
        for env in envs.values():
            env.close()

"""Any gymnasium task as the contract sees it, many at a time.

A task that has an `interface` of its own (the cell's) is taken as it is. Any other one is seen
through its `render`: pictures of `size`, without proprioception, each action for `repeat` steps.
`sim:regrasp/BinGrasp-v0` names a module that registers the task, as gymnasium has it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from policy.contract import Deployment, Interface, Invalid
from policy.experience.record import CAMERA, interface_of

FloatArray = npt.NDArray[np.float32]
Seen = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Answer:
    """What came of one environment's action. At an episode's end `seen` is the next episode's
    first observation, and `final` the last one of this."""

    env: int
    seen: Seen
    reward: float
    terminated: bool
    truncated: bool
    success: bool | None  # at an end; None where the task does not say
    final: Seen | None


class Environments(Protocol):
    interface: Interface
    deployment: Deployment
    count: int

    def reset(self, seed: int) -> list[Seen]: ...
    def send(self, actions: FloatArray, envs: Sequence[int]) -> None: ...
    def recv(self, least: int) -> list[Answer]: ...
    def close(self) -> None: ...


def make(
    task: str,
    count: int,
    size: int,
    processes: int = 1,
    repeat: int = 1,
    arguments: Mapping[str, Any] | None = None,
) -> Environments:
    module, _, name = task.rpartition(":")
    if module:
        importlib.import_module(module)  # it registers the task
    spec = gymnasium.spec(name)
    given = dict(arguments or {})
    if spec.vector_entry_point is not None:
        return _Asynchronous(
            gymnasium.make_vec(
                spec, num_envs=count, processes=min(processes, count), size=size, **given
            )
        )
    return _Together(spec, count, size, processes, repeat, given)


class _Asynchronous:
    """Of a vector environment with `send` and `recv` and an interface: sim/vector.py."""

    def __init__(self, envs: Any) -> None:
        self._envs = envs
        self.interface: Interface = envs.interface
        self.deployment: Deployment = envs.deployment
        self.count: int = envs.num_envs

    def reset(self, seed: int) -> list[Seen]:
        seen, _ = self._envs.reset(seed=seed)
        return [_row(seen, env) for env in range(self.count)]

    def send(self, actions: FloatArray, envs: Sequence[int]) -> None:
        self._envs.send(actions, envs)

    def recv(self, least: int) -> list[Answer]:
        seen, rewards, terminated, truncated, infos, envs = self._envs.recv(least)
        answers = []
        for k, env in enumerate(envs.tolist()):
            info = infos[k]
            over = bool(terminated[k] or truncated[k])
            answers.append(
                Answer(
                    env,
                    _row(seen, k),
                    float(rewards[k]),
                    bool(terminated[k]),
                    bool(truncated[k]),
                    bool(info["final_info"]["success"]) if over else None,
                    info["final_obs"] if over else None,
                )
            )
        return answers

    def close(self) -> None:
        self._envs.close()


class _Together:
    """Of gymnasium's own vector environments, which step all at once: in this process, or each in
    one of its own."""

    def __init__(
        self,
        spec: gymnasium.envs.registration.EnvSpec,
        count: int,
        size: int,
        processes: int,
        repeat: int,
        given: dict[str, Any],
    ) -> None:
        def one() -> Pixels:
            env = gymnasium.make(spec, render_mode="rgb_array", **given)
            return Pixels(env, size, repeat)

        sample = one()
        self.interface, self.count = sample.interface, count
        self.deployment = Deployment.as_seen(spec.id, sample.interface)
        sample.close()
        if processes not in (1, count):
            wanted = f"1, or {count} (envs)"
            raise Invalid("processes", processes, wanted, "this task has a process for each")
        mode = AutoresetMode.SAME_STEP
        self._envs: Any
        if processes == 1:
            self._envs = SyncVectorEnv([one] * count, autoreset_mode=mode)
        else:  # spawned: a fork would take locks along that threads of ours hold
            self._envs = AsyncVectorEnv([one] * count, context="spawn", autoreset_mode=mode)
        self._sent: FloatArray | None = None

    def reset(self, seed: int) -> list[Seen]:
        seen, _ = self._envs.reset(seed=seed)
        return [_row(seen, env) for env in range(self.count)]

    def send(self, actions: FloatArray, envs: Sequence[int]) -> None:
        if list(envs) != list(range(self.count)):
            raise Invalid("envs", list(envs), "all, in order", "these environments step together")
        self._sent = actions

    def recv(self, least: int) -> list[Answer]:
        seen, rewards, terminated, truncated, infos = self._envs.step(self._sent)
        answers = []
        for env in range(self.count):
            over = bool(terminated[env] or truncated[env])
            final = infos["final_obs"][env] if over else None
            told = infos["final_info"].get("success") if over else None
            success = None if told is None else bool(told[env])
            flags = bool(terminated[env]), bool(truncated[env]), success
            answers.append(Answer(env, _row(seen, env), float(rewards[env]), *flags, final))
        return answers

    def close(self) -> None:
        self._envs.close()


class Pixels(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A task seen through its own `render`, and nothing else."""

    def __init__(self, env: gymnasium.Env[Any, Any], size: int, repeat: int = 1) -> None:
        super().__init__(env)
        found = interface_of(env, (size, size))
        blind = replace(found.observation, proprio=(), action_window=0)
        period = repeat * found.control_period_s
        self.interface = replace(found, observation=blind, control_period_s=period)
        self._size, self._repeat = (size, size), repeat
        picture = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({CAMERA: picture})

    def reset(self, **given: Any) -> tuple[Seen, dict[str, Any]]:
        _, info = self.env.reset(**given)
        return self._see(), info

    def step(self, action: FloatArray) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        total = 0.0
        for _ in range(self._repeat):
            _, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return self._see(), total, terminated, truncated, info

    def _see(self) -> Seen:
        frame: Any = self.env.render()
        if frame.shape[:2] != self._size:
            frame = cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA)
        return {CAMERA: frame}


def _row(seen: Mapping[str, npt.NDArray[Any]], k: int) -> Seen:
    return {name: values[k] for name, values in seen.items()}

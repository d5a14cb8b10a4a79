"""Many grasp environments at once: a process per core, and no waiting for the slowest.

    envs = gymnasium.make_vec("regrasp/BinGrasp-v0", num_envs=8, processes=2)
    envs.reset(seed=0)                     # environment i gets seed + i
    envs.send(actions, ids)                # returns at once
    observations, rewards, terminated, truncated, infos, ids = envs.recv(4)

`recv` returns the first that are ready, as EnvPool does, so that a slow reset holds nobody up.
`step` is gymnasium's: all of them, in order. Where an episode ends, the next one begins in the same
step (AutoresetMode.SAME_STEP): the observation is the new episode's, the last one of the old is in
`infos["final_obs"]` and what was known of it in `infos["final_info"]`.

What an environment does depends on its seed and its actions alone, not on the number of processes
nor on who was faster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import (
    batch_space,
    create_shared_memory,
    read_from_shared_memory,
)

from policy.contract import Invalid

from .env import BinGrasp, Observation
from .host import Answer, Reset, Shared, Step, host
from .workers import SPAWN, Workers, cores

Rewards = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]
Infos = list[dict[str, Any]]


class VectorGrasp(VectorEnv[Observation, npt.NDArray[np.float32], npt.NDArray[Any]]):
    """`arguments` are BinGrasp's. Processes are spawned: a script that makes this needs its
    `if __name__ == "__main__":`."""

    metadata: dict[str, Any] = {  # noqa: RUF012 - gymnasium declares it so
        **BinGrasp.metadata,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(self, num_envs: int = 1, processes: int | None = None, **arguments: Any) -> None:
        if num_envs < 1:
            raise Invalid("num_envs", num_envs, "1 or more", "say how many")
        processes = min(cores(), num_envs) if processes is None else processes
        if not 1 <= processes <= num_envs:
            wanted = f"1 to {num_envs} (num_envs)"
            raise Invalid("processes", processes, wanted, "a process needs an environment")
        one = BinGrasp(**arguments)  # what is wrong with the arguments is found here
        self.num_envs, self.interface = num_envs, one.interface
        self.deployment = one.deployment
        self.render_mode = one.render_mode
        self.single_observation_space = one.observation_space
        self.single_action_space = one.action_space
        self.observation_space = batch_space(one.observation_space, num_envs)
        self.action_space = batch_space(one.action_space, num_envs)
        context: Any = SPAWN
        self._shared = shared = Shared(  # kept: its locks live as long as it does
            num_envs,
            create_shared_memory(one.observation_space, 2 * num_envs, context),
            create_shared_memory(one.action_space, num_envs, context),
        )
        views: Any = read_from_shared_memory
        self._slots = views(one.observation_space, shared.observations, 2 * num_envs)
        self._actions = views(one.action_space, shared.actions, num_envs)
        self._busy = np.zeros(num_envs, np.bool_)
        self._ready: deque[Answer] = deque()
        mine = [range(number, num_envs, processes) for number in range(processes)]
        names = [
            f"worker {number} (environments {', '.join(map(str, envs))})"
            for number, envs in enumerate(mine)
        ]
        self._workers = Workers(names, host, mine, shared, arguments)
        self._processes = processes

    # Asynchronous -------------------------------------------------------------------------------

    def send(self, actions: npt.NDArray[np.float32], env_ids: Sequence[int] | Ids) -> None:
        """Set these environments going, row k of `actions` for the k-th of them."""
        ids = np.asarray(env_ids)
        given, wanted = np.asarray(actions, np.float32), (len(ids), *self._actions.shape[1:])
        if given.shape != wanted:
            raise Invalid("actions", given.shape, str(wanted), "give env_ids one row each")
        for env, action in zip(ids.tolist(), given, strict=True):
            self._start(env, Step(env), action)

    def recv(
        self, batch: int | None = None
    ) -> tuple[Observation, Rewards, Flags, Flags, Infos, Ids]:
        """The first `batch` environments to be ready (all that were sent, if not said), in the
        order in which they became so. Arrays are the caller's own."""
        taken = self._take(batch)
        ids = np.array([answer.env for answer in taken], np.int64)
        return (
            {name: slots[ids] for name, slots in self._slots.items()},
            np.array([answer.reward for answer in taken], np.float64),
            np.array([answer.terminated for answer in taken], np.bool_),
            np.array([answer.truncated for answer in taken], np.bool_),
            [answer.info for answer in taken],
            ids,
        )

    # All at once --------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin anew everywhere; what is still under way is waited for and dropped."""
        super().reset(seed=seed)
        if self._busy.any():
            self._take(None)
        for env in range(self.num_envs):
            self._start(env, Reset(env, None if seed is None else seed + env, options))
        *_, observations, infos = self._all()
        return observations, infos

    def step(
        self, actions: npt.NDArray[np.float32]
    ) -> tuple[Observation, Rewards, Flags, Flags, dict[str, Any]]:
        if self._busy.any():
            found = np.flatnonzero(self._busy).tolist()
            raise Invalid("step", f"environments {found} under way", "none", "call recv first")
        self.send(actions, range(self.num_envs))
        rewards, terminated, truncated, observations, infos = self._all()
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[npt.NDArray[np.uint8], ...]:
        """Each environment's last observed picture of the first camera."""
        pictures = self._slots[self.interface.observation.images[0].name]
        return tuple(pictures[: self.num_envs].copy())

    def close_extras(self, **_: Any) -> None:
        self._workers.close()

    def _require_open(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("asked after close: make another")

    def _start(
        self, env: int, request: Step | Reset, action: npt.NDArray[np.float32] | None = None
    ) -> None:
        self._require_open()
        if not 0 <= env < self.num_envs:
            raise Invalid("env_ids", env, f"0 to {self.num_envs - 1}", "there are no more")
        if self._busy[env]:
            raise Invalid("env_ids", env, "one that is not under way", "recv it first")
        if action is not None:
            self._actions[env] = action
        self._busy[env] = True
        self._workers.send(env % self._processes, request)

    def _take(self, batch: int | None) -> list[Answer]:
        self._require_open()
        under_way = int(self._busy.sum())
        batch = under_way if batch is None else batch
        if not 1 <= batch <= under_way:
            raise Invalid("batch", batch, f"1 to {under_way} (under way)", "send some first")
        while len(self._ready) < batch:
            self._ready.extend(answer for _, answer in self._workers.ready())
        taken = [self._ready.popleft() for _ in range(batch)]
        for answer in taken:
            self._busy[answer.env] = False
            if answer.terminated or answer.truncated:
                last = self.num_envs + answer.env
                answer.info["final_obs"] = {k: v[last].copy() for k, v in self._slots.items()}
        return taken

    def _all(self) -> tuple[Rewards, Flags, Flags, Observation, dict[str, Any]]:
        """Everyone's answers in order, infos stacked as gymnasium does."""
        answers = sorted(self._take(self.num_envs), key=lambda answer: answer.env)
        infos: dict[str, Any] = {}
        for answer in answers:
            infos = self._add_info(infos, answer.info, answer.env)
        return (
            np.array([answer.reward for answer in answers], np.float64),
            np.array([answer.terminated for answer in answers], np.bool_),
            np.array([answer.truncated for answer in answers], np.bool_),
            {name: slots[: self.num_envs].copy() for name, slots in self._slots.items()},
            infos,
        )

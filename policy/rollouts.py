"""A learner at work in its environments: batched actions out, whole episodes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from policy.contract import Interface
from policy.environments import Answer, Environments, FloatArray, Seen
from policy.experience.episode import SIMULATOR, Driver, Episode, EpisodeInfo, Verdict
from policy.learners.learner import Observations

Act = Callable[[Observations], tuple[FloatArray, FloatArray]]


@dataclass
class _Track:
    """One environment's episode so far, and the stack of frames that is seen of it."""

    seen: list[Seen]
    actions: list[FloatArray] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class Rollouts:
    """
    rollouts = Rollouts(envs, interface, stack=1, source="online", seed=0)
    for _, episode in rollouts.advance(act):
        ring.add(episode)

    `interface` is what the learner sees of the environments': of the window of past actions it may
    want less. Nothing waits for the slowest: whoever is ready acts again.
    """

    def __init__(
        self, envs: Environments, interface: Interface, stack: int, source: str, seed: int
    ) -> None:
        self.envs, self._interface, self._stack = envs, interface, stack
        self._source, self._seed = source, seed
        self._tracks = [_Track([seen]) for seen in envs.reset(seed)]
        self._idle = list(range(envs.count))
        self.steps = 0

    def advance(self, act: Act, least: int | None = None) -> Iterator[tuple[int, Episode]]:
        """Let all that wait act, then take in `least` answers; yields what ended, and where. Half
        of them, unless told: they work while the others are thought about."""
        if self._idle:
            actions, values = act(self._observations(self._idle))
            executed = self._interface.action.executed(actions)
            for env, action, value in zip(self._idle, executed, values, strict=True):
                self._tracks[env].actions.append(action)
                self._tracks[env].values.append(float(value))
            self.envs.send(executed, self._idle)
            self._idle = []
        for answer in self.envs.recv(least or max(self.envs.count // 2, 1)):
            self.steps += 1
            self._idle.append(answer.env)
            track = self._tracks[answer.env]
            track.rewards.append(answer.reward)
            if answer.final is None:
                track.seen.append(answer.seen)
            else:
                track.seen.append(answer.final)
                self._tracks[answer.env] = _Track([answer.seen])
                yield answer.env, self._episode(track, answer)
        self._idle.sort()

    def _observations(self, envs: Sequence[int]) -> Observations:
        spec, tracks = self._interface.observation, [self._tracks[env] for env in envs]
        images = {
            name: torch.from_numpy(
                np.stack([_last([s[name] for s in t.seen], self._stack) for t in tracks])
            )
            for name in spec.cameras
        }
        none, blank = np.zeros(0, np.float32), np.zeros(len(self._interface.action), np.float32)
        proprio = np.stack([t.seen[-1].get("proprio", none) for t in tracks])
        past = np.zeros((len(tracks), spec.action_window, len(blank)), np.float32)
        for k, track in enumerate(tracks):
            if recent := track.actions[-spec.action_window :] if spec.action_window else []:
                past[k, -len(recent) :] = recent
        return Observations(images, torch.from_numpy(proprio), torch.from_numpy(past))

    def _episode(self, track: _Track, answer: Answer) -> Episode:
        interface, steps = self.envs.interface, len(track.actions)
        size, frames = len(interface.action), steps + 1
        nothing, unknown = np.zeros((1, size), np.float32), np.full((frames, size), np.nan)
        empty = np.zeros(0, np.float32)
        executed = np.concatenate([nothing, np.stack(track.actions)])
        info = EpisodeInfo(interface, self._source, seed=self._seed)
        period = round(1e9 * interface.control_period_s)
        stamps = info.stamp_ns + period * np.arange(frames, dtype=np.int64)
        return Episode(
            info,
            {
                name: np.stack([s[name] for s in track.seen])
                for name in interface.observation.cameras
            },
            np.stack([s.get("proprio", empty) for s in track.seen]),
            executed,
            policy=executed,
            human=unknown.astype(np.float32),
            driver=np.array([Driver.NOBODY, *[Driver.POLICY] * steps], np.uint8),
            q=np.array([np.nan, *track.values], np.float32),
            reward=np.array([0.0, *track.rewards], np.float32),
            observation_age=np.zeros(frames, np.float32),
            capture_ns=stamps,
            execution_ns=stamps,
            policy_version=("",) * frames,
            terminated=answer.terminated,
            truncated=answer.truncated,
            recovered=False,
            verdicts=() if answer.success is None else (Verdict(SIMULATOR, answer.success),),
        )


def _last(frames: Sequence[FloatArray], count: int) -> FloatArray:
    """The newest `count`, oldest first; before an episode's first there is only that."""
    recent = list(frames[-count:])
    return np.stack([recent[0]] * (count - len(recent)) + recent)

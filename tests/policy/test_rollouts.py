"""What a learner's episodes look like, and that an evaluation counts them fairly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
import reach  # noqa: F401 - registers a task

from policy.contract import Invalid
from policy.environments import make
from policy.evaluate import evaluate
from policy.experience.episode import Driver, Episode
from policy.learners.learner import Observations
from policy.rollouts import Rollouts
from policy.statistics import Rate

FloatArray = npt.NDArray[np.float32]
SIDE = 8


class Counter(gymnasium.Env[FloatArray, FloatArray]):
    """Counts its steps in red. Every second episode succeeds at once, the others fail after nine:
    who counts the first that end sees only the quick ones."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.observation_space = gymnasium.spaces.Box(0, 99, (1,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self.episode = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[FloatArray, Any]:
        super().reset(seed=seed)
        self.steps, self.episode = 0, self.episode + 1
        return np.zeros(1, np.float32), {}

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        quick = self.episode % 2 == 0
        over = quick or self.steps == 9
        info = {"success": quick and over}
        return np.zeros(1, np.float32), float(action.sum()), quick, over and not quick, info

    def render(self) -> Any:
        return np.full((SIDE, SIDE, 3), (self.steps, 0, 0), np.uint8)


class Unjudged(Counter):
    """Pays, and does not say whether that was success."""

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, _ = super().step(action)
        return seen, reward, terminated, truncated, {}


ENTRIES: dict[str, Any] = {"Counter-v0": Counter, "Unjudged-v0": Unjudged}
for name, entry in ENTRIES.items():
    gymnasium.register(name, entry_point=entry)


def constant(seen: Observations) -> tuple[FloatArray, FloatArray]:
    return np.full((len(seen), 2), 2.0, np.float32), np.full(len(seen), 0.5, np.float32)


def test_an_episode_is_whole_and_its_actions_are_those_executed() -> None:
    envs = make("Counter-v0", 2, SIDE)
    rollouts = Rollouts(envs, envs.interface, stack=1, source="online", seed=3)
    episodes: list[Episode] = []
    while len(episodes) < 2:
        episodes += [episode for _, episode in rollouts.advance(constant, 2)]
    envs.close()
    first = episodes[0]
    assert (len(first), first.terminated, first.truncated, first.success) == (9, False, True, False)
    assert first.images["front"][:, 0, 0, 0].tolist() == list(range(10))  # the last one, too
    np.testing.assert_array_equal(first.executed[1:], np.ones((9, 2)))  # 2 is out of bounds
    np.testing.assert_array_equal(first.reward, [0, *[2] * 9])
    assert first.driver.tolist() == [Driver.NOBODY, *[Driver.POLICY] * 9]
    assert np.isnan(first.q[0])
    assert (first.q[1:] == 0.5).all()


def test_stacks_and_windows_begin_with_what_there_is() -> None:
    envs = make("Counter-v0", 1, SIDE)
    seen: list[list[int]] = []

    def watch(now: Observations) -> tuple[FloatArray, FloatArray]:
        seen.append(now.images["front"][0, :, 0, 0, 0].tolist())
        return constant(now)

    rollouts = Rollouts(envs, envs.interface, stack=3, source="online", seed=0)
    for _ in range(10):
        list(rollouts.advance(watch, 1))
    envs.close()
    assert seen[:4] == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert seen[9] == [0, 0, 0]  # nothing of the episode before


def test_an_evaluation_counts_slow_episodes_as_well() -> None:
    envs = make("Counter-v0", 3, SIDE)
    found = evaluate(constant, Rollouts(envs, envs.interface, 1, "evaluation", 0), 12)
    envs.close()
    assert found.success == Rate(6, 12)
    assert found.mean_steps == 5.0


def test_an_action_is_repeated_and_its_rewards_add_up() -> None:
    envs = make("Counter-v0", 1, SIDE, repeat=4)
    assert envs.interface.control_period_s == pytest.approx(0.4)
    rollouts = Rollouts(envs, envs.interface, 1, "online", 0)
    episodes: list[Episode] = []
    while not episodes:
        episodes += [episode for _, episode in rollouts.advance(constant, 1)]
    envs.close()
    assert episodes[0].reward.tolist() == [0, 8, 8, 2]


def test_processes_give_the_same_episodes() -> None:
    """One process or two: what an environment does depends on its seed alone."""
    returns = []
    for processes in (1, 2):
        envs = make("reach:Reach-v0", 2, 24, processes=processes)
        rollouts = Rollouts(envs, envs.interface, 1, "online", 7)
        found: list[float] = []
        while len(found) < 4:
            found += [e.episode_return for _, e in rollouts.advance(constant, 2)]
        envs.close()
        returns.append(found)
    assert returns[0] == returns[1]


def test_environments_that_step_together_are_not_sent_off_one_by_one() -> None:
    envs = make("Counter-v0", 2, SIDE)
    envs.reset(0)
    with pytest.raises(Invalid, match="envs: found"):
        envs.send(np.zeros((1, 2), np.float32), [1])
    envs.close()


def test_a_task_that_does_not_judge_has_no_success_rate() -> None:
    envs = make("Unjudged-v0", 2, SIDE)
    rollouts = Rollouts(envs, envs.interface, 1, "evaluation", 0)
    [first, *_] = [episode for _ in range(9) for _, episode in rollouts.advance(constant, 2)]
    found = evaluate(constant, rollouts, 4)
    envs.close()
    assert first.success is None
    assert found.success is None
    assert found.values == {"episodes": 4, "return": 10.0, "steps": 5.0}
    assert str(found) == "return 10, 5.0 steps"
    assert found.worse_than(replace(found, mean_return=11.0))


def test_processes_of_such_a_task_are_one_or_one_each() -> None:
    with pytest.raises(Invalid, match="processes: found 2, wanted 1, or 3"):
        make("Counter-v0", 3, SIDE, processes=2)

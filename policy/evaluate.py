"""How often a policy succeeds, on any gymnasium task, from its ONNX file.

    python -m policy.evaluate policy.onnx --task sim:regrasp/BinGrasp-v0 --episodes 300

The policy is fed what it would be fed on the robot: raw frames, of which the task draws the part
that the card's crop keeps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from policy import environments
from policy.contract import ContractError, Deployment, Invalid, PolicyCard, differences
from policy.contract.files import write_atomic
from policy.environments import FloatArray
from policy.export import feed_of
from policy.feed import Feed
from policy.learners.learner import Observations
from policy.rollouts import Act, Rollouts
from policy.runtime import OnnxPolicy
from policy.statistics import Rate

HELD_OUT = 1_000_000_000  # seeds from here on are never trained on


@dataclass(frozen=True)
class Evaluation:
    """`success` is None where the task does not judge."""

    episodes: int
    success: Rate | None
    mean_return: float
    mean_steps: float

    @property
    def values(self) -> dict[str, float]:
        judged = {} if self.success is None else {"successes": self.success.successes}
        means = {"return": self.mean_return, "steps": self.mean_steps}
        return {"episodes": self.episodes, **judged, **means}

    def worse_than(self, other: Evaluation) -> bool:
        """In what the task is about."""
        if self.success is not None and other.success is not None:
            return self.success.successes < other.success.successes
        return self.mean_return < other.mean_return

    def __str__(self) -> str:
        judged = "" if self.success is None else f"success {self.success}; "
        return f"{judged}return {self.mean_return:.3g}, {self.mean_steps:.1f} steps"


def evaluate(
    act: Act, rollouts: Rollouts, episodes: int, progress: Callable[[int], object] | None = None
) -> Evaluation:
    """Each environment plays its share of the episodes, however long they are: those that end
    first would be the quick successes. All act together, so that who was faster decides nothing."""
    count = rollouts.envs.count
    left = [episodes // count + (env < episodes % count) for env in range(count)]
    judged, returns, steps = list[bool | None](), [], []
    while any(left):
        for env, episode in rollouts.advance(act, count):
            if left[env]:
                left[env] -= 1
                judged.append(episode.success)
                returns.append(episode.episode_return)
                steps.append(len(episode))
                if progress is not None:
                    progress(1)
    rate = None if None in judged else Rate(sum(map(bool, judged)), episodes)
    return Evaluation(episodes, rate, float(np.mean(returns)), float(np.mean(steps)))


class Fed:
    """An exported policy as `evaluate` drives it; each row's noise follows from how many rows came
    before it. `watch` is shown each feed."""

    def __init__(self, policy: OnnxPolicy, watch: Callable[[Feed], object] | None = None) -> None:
        self._policy, self._watch, self._rows = policy, watch, 0

    def __call__(self, seen: Observations) -> tuple[FloatArray, FloatArray]:
        seeds = range(self._rows, self._rows + len(seen))
        self._rows += len(seen)
        card = self._policy.card
        feed = feed_of(card, raw(card, seen))
        if self._watch is not None:
            self._watch(feed)
        decision = self._policy.act(feed, seeds=seeds)
        return decision.action, decision.q


def raw(card: PolicyCard, drawn: Observations) -> Observations:
    """What was drawn of each frame, where the frame has it; the rest is black, never looked at."""
    images = {}
    shapes = {image.name: image.shape for image in card.interface.observation.images}
    for step in card.preprocessing:
        top, left, height, width = step.crop
        shape = (len(drawn), card.stack, *shapes[step.image])
        frames = torch.zeros(shape, dtype=torch.uint8)
        frames[:, :, top : top + height, left : left + width] = drawn.images[step.image]
        images[step.image] = frames
    return replace(drawn, images=images)


def drawn_size(card: PolicyCard) -> int:
    """What a task has to draw, so that each pixel is one of the raw frame's."""
    sides = {side for step in card.preprocessing for side in step.crop[2:]}
    if len(sides) != 1:
        found = [step.crop for step in card.preprocessing]
        raise Invalid("preprocessing.crop", found, "one square for all", "evaluate on the twin")
    return int(sides.pop())


def require_same(card: PolicyCard, offered: Deployment) -> None:
    """The task has to show the policy what it was trained for; only the window may differ."""
    ours = Deployment(card.cell_id, card.interface, card.preprocessing)
    window = ours.interface.observation.action_window
    spec = replace(offered.interface.observation, action_window=window)
    sizes = {step.image: step.size for step in card.preprocessing}
    steps = tuple(replace(step, size=sizes[step.image]) for step in offered.preprocessing)
    theirs = replace(
        offered,
        interface=replace(offered.interface, observation=spec),
        preprocessing=steps,
        views=(),
    )
    problems = list(differences(ours, theirs, "choose the task that the policy was trained on"))
    if problems:
        raise ContractError(f"policy '{card.name}' does not fit the task", problems)


@contextmanager
def played(policy: OnnxPolicy, choice: argparse.Namespace, seed: int) -> Iterator[Rollouts]:
    """For the policy, on the task that the command line names."""
    a, size = choice, drawn_size(policy.card)
    envs = environments.make(a.task, a.envs, size, a.processes, a.repeat, a.arguments)
    with closing(envs):
        require_same(policy.card, envs.deployment)
        yield Rollouts(envs, policy.interface, policy.stack, "evaluation", seed)


def judged(path: Path, choice: argparse.Namespace) -> Evaluation:
    policy = OnnxPolicy(path)
    with (
        played(policy, choice, choice.seed) as rollouts,
        tqdm(total=choice.episodes, unit=" episodes") as bar,
    ):
        return evaluate(Fed(policy), rollouts, choice.episodes, bar.update)


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog=program, description=description)
    top.add_argument("policy", type=Path)
    top.add_argument("--task", required=True, help="gymnasium id, as module:Name-v0")
    top.add_argument("--arguments", type=json.loads, default={}, help="the task's, as JSON")
    top.add_argument("--episodes", type=int, default=300)
    top.add_argument("--envs", type=int, default=8)
    top.add_argument("--processes", type=int, default=2)
    top.add_argument("--repeat", type=int, default=1, help="steps an action lasts")
    top.add_argument("--seed", type=int, default=HELD_OUT)
    return top


def main(argv: list[str] | None = None) -> int:
    top = parser("python -m policy.evaluate", __doc__)
    top.add_argument("--out", type=Path, help="write what was counted there, as JSON")
    a = top.parse_args(argv)
    try:
        found = judged(a.policy, a)
        if a.out is not None:
            write_atomic(a.out, json.dumps(found.values).encode())
        print(found)
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

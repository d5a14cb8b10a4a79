"""DrQ-v2 at work: from pictures alone, through environments, replay and updates."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from policy.environments import Environments, make
from policy.evaluate import HELD_OUT, Evaluation, evaluate
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Sampler, Source
from policy.learners.drqv2 import DrQv2, DrQv2Config, LinearSchedule
from policy.networks.drqv2 import Sizes
from policy.rollouts import Rollouts


def judged(learner: DrQv2, envs: Environments, episodes: int) -> Evaluation:
    rollouts = Rollouts(envs, learner.interface, learner.draw.stack, "judged", seed=HELD_OUT)
    return evaluate(lambda seen: learner.act(seen, explore=False), rollouts, episodes)


def train(learner: DrQv2, envs: Environments, directory: Path, actions: int, updates: int) -> None:
    """`updates` each time that all have acted, once there is something to learn from."""
    rollouts = Rollouts(envs, learner.interface, learner.draw.stack, "online", seed=0)
    with RingWriter.create(directory / "ring", envs.interface, 20_000) as ring:
        sampler, batch = Sampler([Source(ring)], learner.draw), None
        while learner.steps < actions:
            for _, episode in rollouts.advance(lambda seen: learner.act(seen, explore=True)):
                ring.add(episode)
            for _ in range(updates if learner.steps >= 500 else 0):
                batch = sampler.sample(64, batch)
                learner.update(batch)


def test_it_learns_to_reach_what_it_sees(tmp_path: Path) -> None:
    torch.manual_seed(0)
    envs = make("reach:Reach-v0", count=8, size=24)
    config = DrQv2Config(
        Sizes(stack=1, hidden=256),
        shift=1,
        n_step=1,
        discount=0.5,
        tau=0.05,
        learning_rate=1e-3,
        stddev=LinearSchedule(1.0, 0.2, 2000),
        random_steps=500,
    )
    learner = DrQv2(envs.interface, config)
    unlearnt = judged(learner, envs, 64)
    train(learner, envs, tmp_path, actions=1700, updates=4)
    learnt = judged(learner, envs, 64)
    envs.close()
    assert learnt.mean_return > unlearnt.mean_return / 2
    assert learnt.success is not None
    assert learnt.success.value > 0.5


@pytest.mark.slow
def test_it_balances_a_pole_from_48_pixels(tmp_path: Path) -> None:
    """1,000 is all there is to gain; who does nothing sensible falls within 20."""
    import sim  # noqa: F401 - lets MuJoCo draw where there is no screen

    torch.manual_seed(0)
    drawn = {"width": 48, "height": 48}
    envs = make("InvertedPendulum-v5", count=4, size=48, repeat=2, arguments=drawn)
    config = DrQv2Config(
        Sizes(hidden=256),
        shift=2,
        learning_rate=3e-4,
        stddev=LinearSchedule(1.0, 0.1, 3000),
        random_steps=500,
        precision="bf16",
    )
    learner = DrQv2(envs.interface, config)
    assert judged(learner, envs, 8).mean_return < 20
    train(learner, envs, tmp_path, actions=9000, updates=2)
    assert judged(learner, envs, 8).mean_return > 500
    envs.close()

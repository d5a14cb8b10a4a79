"""DrQ-v2 against what was published, and against a plain writing-out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drqv2_plain import Plain
from factories import counting_episode
from safetensors.torch import load, save

from policy.contract import (
    ActionEntry,
    ActionSpec,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
)
from policy.experience.episode import EpisodeInfo
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Batch, Draw, Sampler, Source
from policy.learners.drqv2 import DrQv2, DrQv2Config, LinearSchedule
from policy.learners.learner import Observations
from policy.learners.pixels import stacked
from policy.networks.drqv2 import Sizes

SMALL = DrQv2Config(Sizes(features=16, hidden=32), learning_rate=1e-3, random_steps=0)


def interface(side: int = 24, proprio: int = 0, window: int = 0, actions: int = 3) -> Interface:
    entries = tuple(Entry(f"p{k}", "m", 0.0, 0.5) for k in range(proprio))
    moves = tuple(ActionEntry(f"a{k}", "m", -0.1, 0.3) for k in range(actions))
    images = (ImageSpec("front", side, side),)
    return Interface(ObservationSpec(images, entries, window), ActionSpec(moves), 0.1)


def pictures(of: Interface, rows: int) -> dict[str, torch.Tensor]:
    return {
        image.name: torch.randint(0, 256, (rows, 3, *image.shape), dtype=torch.uint8)
        for image in of.observation.images
    }


def actions(of: Interface, *shape: int) -> torch.Tensor:
    low, high = torch.from_numpy(of.action.low), torch.from_numpy(of.action.high)
    return low + (high - low) * torch.rand(*shape, len(of.action))


def observations(of: Interface, rows: int) -> Observations:
    spec = of.observation
    proprio = 0.5 * torch.rand(rows, len(spec.proprio))
    return Observations(pictures(of, rows), proprio, actions(of, rows, spec.action_window))


def transitions(of: Interface, rows: int = 32) -> Batch:
    now, after = observations(of, rows), observations(of, rows)
    return Batch(
        *(now.images, after.images, now.proprio, after.proprio),
        *(now.past_actions, after.past_actions, actions(of, rows), torch.rand(rows)),
        torch.where(torch.rand(rows) < 0.2, 0.0, 0.97),
        *(torch.zeros(rows, dtype=torch.uint8),) * 2,
    )


def test_the_defaults_are_the_published_ones() -> None:
    learner = DrQv2(interface(84, actions=6), DrQv2Config())
    assert learner.draw == Draw(stack=3, n_step=3, window=0, discount=0.99)

    def count(module: torch.nn.Module) -> int:
        return sum(weight.numel() for weight in module.parameters())

    policy = learner.policy
    convolutions = 32 * 9 * 9 + 32 + 3 * (32 * 32 * 9 + 32)
    trunk = 32 * 35 * 35 * 50 + 50 + 2 * 50
    square = 1024 * 1024 + 1024
    assert count(policy.encoder) == convolutions == 30_368
    assert count(policy.actor) == trunk + 51 * 1024 + square + 1025 * 6 == 3_068_124
    assert count(policy.critic) == trunk + 2 * (57 * 1024 + square + 1025) == 4_178_136
    weight = policy.state_dict()["encoder.layers.2.weight"].flatten(1)
    torch.testing.assert_close(weight @ weight.T, 2 * torch.eye(32), rtol=0, atol=1e-5)
    weight = policy.state_dict()["critic.trunk.linear.weight"]
    torch.testing.assert_close(weight @ weight.T, torch.eye(50), rtol=0, atol=1e-5)
    for optimizer in (learner.critic_optimizer, learner.actor_optimizer):
        assert optimizer.param_groups[0]["lr"] == 1e-4
        assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)
    config = learner.config
    assert (config.tau, config.shift, config.stddev_clip) == (0.01, 4, 0.3)
    assert config.random_steps == 2000


@pytest.mark.parametrize(("proprio", "window"), [(0, 0), (2, 2)])
def test_an_update_is_what_the_paper_says(proprio: int, window: int) -> None:
    torch.manual_seed(0)
    of = interface(proprio=proprio, window=window)
    learner = DrQv2(of, replace(SMALL, tau=0.1, stddev=LinearSchedule(0.5, 0.5, 1)))
    plain = Plain(learner.state_dict(), pad=4, stddev=0.5, clip=0.3, tau=0.1, rate=1e-3)
    start = {name: value.clone() for name, value in plain.weights.items()}
    for seed in range(3):
        batch = transitions(of)
        torch.manual_seed(seed)
        learner.update(batch)
        torch.manual_seed(seed)
        scaling = learner.policy.scaling
        state = scaling.state(batch.proprio, batch.past_actions)
        next_state = scaling.state(batch.next_proprio, batch.next_past_actions)
        plain.update(
            *(batch.images["front"], batch.next_images["front"], (state, next_state)),
            *(scaling.action(batch.action), batch.reward, batch.discount),
        )
    ours = learner.state_dict()
    for name, wanted in plain.weights.items():
        assert not torch.equal(wanted, start[name]), name
        off = (ours[name] - wanted).abs()
        # Of a step of 1e-3. Where a gradient is as small as its rounding, Adam enlarges it.
        assert off.mean() < 1e-7, name
        assert off.max() < 1e-4, name


def test_a_target_adds_three_rewards_and_the_lesser_twin(tmp_path: Path) -> None:
    of = interface(16, proprio=1, actions=1)
    wide = replace(of, observation=replace(of.observation, proprio=(Entry("k", "1", 0.0, 99.0),)))
    learner = DrQv2(wide, SMALL)
    weights = learner.target.state_dict()
    for twin, value in enumerate((5.0, 2.0)):
        weights[f"twins.{twin}.last.weight"].zero_()
        weights[f"twins.{twin}.last.bias"].fill_(value)
    with RingWriter.create(tmp_path / "ring", wide, 100) as ring:
        for number, terminated in enumerate((True, False)):
            episode = counting_episode(0, 6, terminated)
            frames = {"front": np.zeros((7, 16, 16, 3), np.uint8)}
            info = EpisodeInfo(wide, "offline", episode_id=str(number))
            ring.add(replace(episode, info=info, images=frames))
        batch = Sampler([Source(ring)], learner.draw, seed=1).sample(64)
    wanted, over = [], 0
    for row in range(64):
        k, m = int(batch.proprio[row, 0]), min(3, 6 - int(batch.proprio[row, 0]))
        # The reward of the action taken at k is k + 1.
        gained = sum(0.99**i * (k + 1 + i) for i in range(m))
        ended = float(batch.discount[row]) == 0.0
        assert not ended or k + m == 6
        over += ended
        wanted.append(gained + (0.0 if ended else 0.99**m * 2.0))
    assert 0 < over < 64
    assert learner.update(batch)["q_target"] == pytest.approx(np.mean(wanted), rel=1e-5)


def test_bf16_learns_from_the_same_gradients() -> None:
    of = interface(48)
    batch, gradients = transitions(of, 64), []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        learner = DrQv2(of, replace(SMALL, precision=precision))
        metrics = learner.update(batch)
        assert np.isfinite(list(metrics.values())).all()
        parts = learner.policy.encoder, learner.policy.critic, learner.policy.actor
        gradients.append([_gradient(part) for part in parts])
    for full, half in zip(*gradients, strict=True):
        assert torch.cosine_similarity(full, half, dim=0) > 0.99


def _gradient(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([w.grad.flatten() for w in module.parameters() if w.grad is not None])


def test_noise_shrinks_with_the_actions_taken_to_explore() -> None:
    easy = LinearSchedule(steps=100_000)
    shrunk = [easy.at(step) for step in (0, 25_000, 100_000, 10**9)]
    assert shrunk == pytest.approx([1.0, 0.775, 0.1, 0.1])
    assert LinearSchedule().at(250_000) == pytest.approx(0.55)
    of = interface()
    config = replace(SMALL, random_steps=64, stddev=LinearSchedule(0.2, 0.0, 128))
    learner, seen = DrQv2(of, config), observations(of, 64)
    mean, _ = learner.act(seen, explore=False)
    assert np.array_equal(mean, learner.act(seen, explore=False)[0])
    assert learner.steps == 0
    at_random, _ = learner.act(seen, explore=True)
    assert learner.steps == 64
    assert np.abs(np.quantile(at_random, [0.01, 0.5, 0.99]) - [-0.1, 0.1, 0.3]).max() < 0.05
    noisy, _ = learner.act(seen, explore=True)  # half-way: 0.1 of half a range of 0.2
    assert np.std(noisy - mean) == pytest.approx(0.02, rel=0.2)
    assert np.array_equal(learner.act(seen, explore=True)[0], mean)


def test_a_schedule_wants_a_length() -> None:
    with pytest.raises(Invalid, match=r"steps: found 0, wanted 1 or more"):
        LinearSchedule(steps=0)


@pytest.mark.parametrize("sizes", [((14, 14),), ((24, 24), (24, 32)), ()])
def test_cameras_are_of_one_size_that_leaves_something(sizes: tuple[tuple[int, int], ...]) -> None:
    images = tuple(ImageSpec(f"camera{k}", *size) for k, size in enumerate(sizes))
    of = replace(interface(), observation=ObservationSpec(images))
    with pytest.raises(Invalid, match=r"images: found .*, wanted one size, 15 px"):
        DrQv2(of, SMALL)


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    of = interface(proprio=1, window=1)
    batches = [transitions(of) for _ in range(4)]
    torch.manual_seed(0)
    first, second = DrQv2(of, SMALL), DrQv2(of, SMALL)
    first.act(observations(of, 5), explore=True)
    for batch in batches[:2]:
        first.update(batch)
    state = {name: value.contiguous() for name, value in first.state_dict().items()}
    second.load_state_dict(load(save(state)))
    assert second.steps == 5
    for learner in (first, second):
        torch.manual_seed(7)
        for batch in batches[2:]:
            learner.update(batch)
        learner.act(observations(of, 5), explore=True)
    ours, theirs = first.state_dict(), second.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_what_is_exported_acts_as_the_learner_and_no_longer_learns() -> None:
    of = replace(interface(proprio=2, window=2), control_period_s=0.2)
    both = (*of.observation.images, ImageSpec("wrist", 24, 24, 1))
    of = replace(of, observation=replace(of.observation, images=both))
    learner = DrQv2(of, SMALL)
    learner.update(transitions(of))
    seen, policy = observations(of, 9), learner.export()
    limits = torch.from_numpy(np.stack([of.action.low, of.action.high])).expand(9, -1, -1)
    given = (stacked(seen.images), seen.proprio, seen.past_actions)
    action, value = learner.act(seen, explore=False)
    learner.update(transitions(of))
    exported_action, exported_value = policy(*given, limits, None)
    np.testing.assert_allclose(exported_action, action, rtol=0, atol=1e-6)
    np.testing.assert_allclose(exported_value, value, rtol=0, atol=1e-5)
    narrow = limits.clone()
    narrow[:, 0] = narrow[:, 1] - 0.01
    bounded, _ = policy(*given, narrow, None)
    assert (bounded >= narrow[:, 0]).all()
    assert (bounded <= narrow[:, 1]).all()

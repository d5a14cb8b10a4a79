"""QT-Opt: its targets by hand, its search in a bandit, and going on after a stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from policy.cem import CemConfig
from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.experience.replay.sampler import Batch
from policy.learners.greedy import rated
from policy.learners.learner import LOGGED, Observations
from policy.learners.pixels import stacked
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.networks.critic import CriticConfig
from policy.networks.heads import HeadConfig, Kind

SIDE = 16
INTERFACE = Interface(
    ObservationSpec(
        (ImageSpec("front", SIDE, SIDE),), (Entry("height", "m", 0.0, 0.3),), action_window=2
    ),
    ActionSpec(
        (
            ActionEntry("close", "1", 0.0, 1.0, threshold=0.5),
            ActionEntry("dx", "m", -0.04, 0.04),
        )
    ),
    0.2,
)
QUICK = QTOptConfig(
    critic=CriticConfig(norm="layer", width=8, hidden=32),
    optimizer="adam",
    learning_rate=2e-3,
    polyak=0.9,
    lag=20,
)


def pictures(random: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """A bright bar somewhere along x, in -1 to 1."""
    place = 2 * torch.rand(count, generator=random) - 1
    columns = torch.linspace(-1, 1, SIDE)
    bar = ((columns - place[:, None]).abs() < 0.15).byte() * 255
    return bar[:, None, None, :, None].expand(-1, 1, SIDE, -1, 3).clone(), place


def make_batch(random: torch.Generator, count: int = 64, **fields: Any) -> Batch:
    images, place = pictures(random, count)
    action = torch.stack(
        [
            (torch.rand(count, generator=random) < 0.5).float(),
            0.08 * torch.rand(count, generator=random) - 0.04,
        ],
        dim=1,
    )
    right = (action[:, 1] / 0.04 - place).abs() < 0.3
    reward = (right & (action[:, 0] == (place > 0).float())).float()
    parts: dict[str, Any] = {
        "images": {"front": images},
        "next_images": {"front": images.flip(3)},
        "proprio": torch.full((count, 1), 0.1),
        "next_proprio": torch.full((count, 1), 0.2),
        "past_actions": torch.zeros(count, 2, 2),
        "next_past_actions": torch.zeros(count, 2, 2),
        "action": action,
        "reward": reward,
        "discount": torch.zeros(count),
        "driver": torch.ones(count, dtype=torch.uint8),
        "source": torch.zeros(count, dtype=torch.uint8),
    }
    return Batch(**{**parts, **fields})


@pytest.mark.parametrize(
    ("kind", "updates"), [("sigmoid", 250), ("hl_gauss", 500), ("q2r", 1000), ("q2f", 1000)]
)
def test_solves_a_bandit_in_seconds(kind: Kind, updates: int) -> None:
    """The best action follows from the picture: move to the bar, and close if it is on the right.
    One guess in seven is right."""
    torch.manual_seed(0)
    # Quantiles get there sooner where the loss is not all slope (kappa); published is 0.002.
    head = HeadConfig(kind=kind, quantiles=20, samples=8, cosines=16, kappa=0.1)
    config = replace(QUICK.critic, head=head)
    learner = QTOpt(INTERFACE, replace(QUICK, critic=config))
    random = torch.Generator().manual_seed(0)
    for _ in range(updates):
        learner.update(make_batch(random))
    images, place = pictures(random, 200)
    seen = Observations({"front": images}, torch.full((200, 1), 0.1), torch.zeros(200, 2, 2))
    action, value = learner.act(seen, explore=False)
    near = (torch.from_numpy(action[:, 1]) / 0.04 - place).abs() < 0.3
    side = torch.from_numpy(action[:, 0]) == (place > 0).float()
    assert (near & side).float().mean() > 0.9
    assert value.mean() > 0.5


@pytest.mark.parametrize("double", [True, False])
def test_target_by_hand(double: bool) -> None:
    """r + gamma^n min_i Q_i(s', a*), a* being what the search finds in Q_1; only r at an end."""
    torch.manual_seed(1)
    cem = CemConfig(samples=8)
    learner = QTOpt(INTERFACE, replace(QUICK, double=double, target_cem=cem))
    random = torch.Generator().manual_seed(1)
    for _ in range(3):  # so that the two targets differ
        learner.update(make_batch(random))
    discount = torch.where(torch.arange(64) % 4 == 0, 0.0, 0.9**3)
    batch = make_batch(random, discount=discount)
    after = Observations.after(batch)
    noise = learner._noise(64, cem)
    found, _ = learner._target(batch, after, noise)
    goes_on = discount.nonzero()[:, 0]
    after, noise = after.rows(goes_on), noise[goes_on]
    state = (stacked(after.images), after.proprio, after.past_actions)
    values = []
    with torch.no_grad():
        action, _ = learner._search(
            rated(learner.target, learner.target.scorer(*state)), noise, cem
        )
        for critic in (learner.target, learner.lagged):
            predict = critic.scorer(*state)
            values.append(critic.head.value(predict(action[:, None])[:, 0]))
    smaller = torch.minimum(*values) if double else values[0]
    wanted = batch.reward.clone()
    wanted[discount > 0] += 0.9**3 * smaller
    wanted = wanted.clamp(0, 1)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found[::4], batch.reward[::4])
    assert not torch.equal(*values)


def test_the_lagged_target_moves_every_so_many_updates() -> None:
    learner = QTOpt(INTERFACE, replace(QUICK, lag=3))
    random = torch.Generator().manual_seed(0)
    before = learner.lagged.state_dict()["network.query.weight"].clone()
    for expected in (True, True, False):
        learner.update(make_batch(random, 8))
        same = torch.equal(learner.lagged.state_dict()["network.query.weight"], before)
        assert same is expected
    own, target = learner.lagged.state_dict(), learner.target.state_dict()
    assert all(torch.equal(own[name], target[name]) for name in own)


def test_late_merge_changes_the_work_not_the_result() -> None:
    torch.manual_seed(0)
    late = QTOpt(INTERFACE, QUICK)
    naive = QTOpt(INTERFACE, replace(QUICK, critic=replace(QUICK.critic, late_merge=False)))
    naive.load_state_dict(late.state_dict())
    random = torch.Generator().manual_seed(0)
    seen = Observations.of(make_batch(random, 4))
    torch.manual_seed(3)
    action, value = late.act(seen, explore=False)
    torch.manual_seed(3)
    again, same = naive.act(seen, explore=False)
    torch.testing.assert_close(action, again, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(value, same, rtol=1e-4, atol=1e-5)


def test_goes_on_bit_for_bit_after_a_stop() -> None:
    torch.manual_seed(0)
    learner = QTOpt(INTERFACE, QUICK)
    random = torch.Generator().manual_seed(0)
    batches = [make_batch(random, 16) for _ in range(6)]
    for batch in batches[:3]:
        learner.update(batch)
    state = {name: value.clone() for name, value in learner.state_dict().items()}
    drawn = torch.get_rng_state()
    for batch in batches[3:]:
        learner.update(batch)
    other = QTOpt(INTERFACE, QUICK)
    other.load_state_dict(state)
    torch.set_rng_state(drawn)
    for batch in batches[3:]:
        other.update(batch)
    ours, theirs = learner.state_dict(), other.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_policy_may_search_longer_than_learning_does() -> None:
    torch.manual_seed(0)
    short, long = CemConfig(samples=4, elites=2, iterations=1), CemConfig(samples=32, iterations=4)
    learner = QTOpt(INTERFACE, replace(QUICK, cem=short, policy_cem=long))
    assert learner.export().noise == (4, 32, 2)
    learner.update(make_batch(torch.Generator().manual_seed(0), 8))
    seen = Observations.of(make_batch(torch.Generator().manual_seed(1), 64))
    _, quick = learner.act(seen, explore=True)
    _, thorough = learner.act(seen, explore=False)
    assert thorough.mean() > quick.mean()


def test_slowed_down_it_steps_less_far() -> None:
    moved = []
    for share in (1.0, 0.1):
        torch.manual_seed(0)
        learner = QTOpt(INTERFACE, QUICK)
        before = learner.critic.state_dict()["head.logit.weight"].clone()
        learner.slow_down(share)
        learner.update(make_batch(torch.Generator().manual_seed(0), 16))
        moved.append(learner.critic.state_dict()["head.logit.weight"] - before)
    torch.testing.assert_close(moved[1], 0.1 * moved[0], rtol=0.01, atol=1e-6)


def test_exploring_disturbs_some_steps_within_the_limits() -> None:
    torch.manual_seed(0)
    learner = QTOpt(INTERFACE, replace(QUICK, epsilon=0.3, noise=1.0, flip=0.5))
    seen = Observations.of(make_batch(torch.Generator().manual_seed(0), 200))
    torch.manual_seed(2)
    calm, _ = learner.act(seen, explore=False)
    torch.manual_seed(2)
    bold, _ = learner.act(seen, explore=True)
    assert 0.2 < (calm != bold).any(1).mean() < 0.4
    assert set(bold[:, 0].tolist()) <= {0.0, 1.0}
    assert (abs(bold[:, 1]) <= 0.04 + 1e-7).all()


@pytest.mark.parametrize("source", [LOGGED, LOGGED + 1])
def test_conservatism_rates_lower_what_a_log_has_no_example_of(source: int) -> None:
    """Only moves to the left were tried, and half of them worked. In its own episodes, that would
    be the learner's choice."""
    torch.manual_seed(0)
    learner = QTOpt(INTERFACE, replace(QUICK, conservatism=0.5))
    random = torch.Generator().manual_seed(0)
    for _ in range(100):
        action = torch.stack([torch.zeros(64), -0.04 * torch.rand(64, generator=random)], dim=1)
        reward = (torch.rand(64, generator=random) < 0.5).float()
        origin = torch.full((64,), source, dtype=torch.uint8)
        learner.update(make_batch(random, action=action, reward=reward, source=origin))
    seen = Observations.of(make_batch(random, 32))
    with torch.no_grad():
        predict = learner.target.scorer(stacked(seen.images), seen.proprio, seen.past_actions)
        asked = torch.tensor([[-1.0, -0.5], [1.0, 0.9]]).expand(32, -1, -1)
        tried, untried = learner.target.head.value(predict(asked)).mean(0)
    assert tried > 0.3
    assert (untried < 0.1) == (source == LOGGED)

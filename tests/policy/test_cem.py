"""The search finds what is known to be best, and never rates what is not allowed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from policy.cem import CemConfig, search
from policy.contract import Invalid

SWITCH = torch.tensor([False, False, True, True])
WIDE = CemConfig(samples=128, elites=12, iterations=6)


def noise(config: CemConfig, batch: int, actions: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, config.iterations, config.samples, actions, generator=generator)


def ends(batch: int, low: float = -1.0, high: float = 1.0) -> tuple[Tensor, Tensor]:
    return torch.full((batch, 4), low), torch.full((batch, 4), high)


def test_finds_each_states_own_maximum() -> None:
    best = torch.tensor([[0.3, -0.8, 1.0, -1.0], [-0.95, 0.5, -1.0, -1.0]])

    def score(actions: Tensor) -> Tensor:
        return -((actions - best[:, None]) ** 2).sum(-1)

    found, value = search(score, noise(WIDE, 2), SWITCH, *ends(2), WIDE)
    torch.testing.assert_close(found, best, atol=0.04, rtol=0)
    torch.testing.assert_close(value, score(found[:, None])[:, 0])


def test_finds_the_higher_of_two_peaks_that_a_mean_would_miss() -> None:
    def score(actions: Tensor) -> Tensor:
        x = actions[..., 0]
        return torch.exp(-20 * (x - 0.6) ** 2) + 0.7 * torch.exp(-20 * (x + 0.6) ** 2)

    found, value = search(score, noise(WIDE, 3), SWITCH, *ends(3), WIDE)
    torch.testing.assert_close(found[:, 0], torch.full((3,), 0.6), atol=0.05, rtol=0)
    assert (value > 0.98).all()


def test_a_maximum_outside_is_found_at_the_edge() -> None:
    config = WIDE
    low, high = ends(2, -0.2, 0.1)
    low[:, 2:], high[:, 2:] = -1.0, 1.0
    rated: list[Tensor] = []

    def score(actions: Tensor) -> Tensor:
        rated.append(actions)
        return actions[..., 0] - actions[..., 1]

    found, _ = search(score, noise(config, 2), SWITCH, low, high, config)
    torch.testing.assert_close(found[:, 0], high[:, 0])
    torch.testing.assert_close(found[:, 1], low[:, 1])
    everything = torch.cat(rated, dim=1)
    assert (everything >= low[:, None]).all()
    assert (everything <= high[:, None]).all()


def test_switches_take_only_their_ends_and_a_forbidden_side_is_not_tried() -> None:
    config = CemConfig()
    low, high = ends(1)
    high[:, 3] = -1.0  # may not be switched on now

    def score(actions: Tensor) -> Tensor:
        assert (actions[..., 2:].abs() == 1).all()
        assert (actions[..., 3] == -1).all()
        return actions[..., 2] + actions[..., 3]

    found, _ = search(score, noise(config, 1), SWITCH, low, high, config)
    assert found[0, 2:].tolist() == [1.0, -1.0]


def test_the_same_noise_gives_the_same_action_and_rows_do_not_mix() -> None:
    config = CemConfig()
    aims = torch.linspace(-0.9, 0.9, 5)[:, None, None]

    def towards(aim: Tensor) -> tuple[Tensor, Tensor]:
        count = len(aim)
        drawn = noise(config, 5)[:count]
        return search(lambda a: -((a - aim) ** 2).sum(-1), drawn, SWITCH, *ends(count), config)

    together, alone = towards(aims), towards(aims[:1])
    torch.testing.assert_close(together[0][:1], alone[0], rtol=0, atol=0)
    torch.testing.assert_close(towards(aims)[0], together[0], rtol=0, atol=0)


def test_more_iterations_never_return_less() -> None:
    """The best of all rounds is kept, so with the same first draws it can only rise."""
    long = CemConfig(iterations=4)
    drawn = noise(long, 8)

    def score(actions: Tensor) -> Tensor:
        return torch.sin(9 * actions[..., 0]) + torch.cos(7 * actions[..., 1])

    values = [
        search(score, drawn[:, :k], SWITCH, *ends(8), CemConfig(iterations=k))[1]
        for k in range(1, 5)
    ]
    for fewer, more in itertools.pairwise(values):
        assert (more >= fewer).all()


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"elites": 65}, "elites"), ({"elites": 0}, "elites"), ({"iterations": 0}, "iterations")],
)
def test_refuses_a_search_that_cannot_be(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        CemConfig(**fields)


def test_a_critic_that_has_diverged_moves_nothing_and_throws_no_switch() -> None:
    config = CemConfig()

    def score(actions: Tensor) -> Tensor:
        return torch.full(actions.shape[:2], torch.nan)

    found, value = search(score, noise(config, 2), SWITCH, *ends(2), config)
    assert found.tolist() == [[0.0, 0.0, -1.0, -1.0]] * 2
    assert not value.isfinite().any()

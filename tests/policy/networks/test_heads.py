"""Heads against closed forms and numbers worked out by hand."""

from __future__ import annotations

import math
from typing import cast

import pytest
import torch

from policy.networks.heads import (
    Q2F,
    Q2R,
    HeadConfig,
    HLGauss,
    Kind,
    Risk,
    Sigmoid,
    make_head,
    quantile_huber,
    undistorted,
)


def test_a_chance_of_success_is_learnt_by_cross_entropy() -> None:
    head = Sigmoid(4)
    following = torch.tensor([[0.0], [math.log(3)], [5.0]])  # chances 0.5, 0.75, 0.993
    reward, discount = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.9, 0.9**5, 0.0])
    target = head.target(reward, discount, following)
    torch.testing.assert_close(target, torch.tensor([0.45, 0.75 * 0.9**5, 1.0]))
    loss = head.loss(torch.zeros(3, 1), target)
    torch.testing.assert_close(loss, torch.full((3,), math.log(2)))


def test_a_return_that_no_chance_can_be_counts_as_the_nearest() -> None:
    head = Sigmoid(4)
    reward, nothing = torch.tensor([-0.05, 1.2]), torch.zeros(2)
    assert head.target(reward, nothing, torch.zeros(2, 1)).tolist() == [0.0, 1.0]


def test_histogram_of_a_target_is_the_gaussians_share_of_each_bin() -> None:
    head = HLGauss(4, HeadConfig(kind="hl_gauss", bins=4))
    [histogram] = head.histogram(torch.tensor([0.5]))
    sigma = 0.75 * 0.25

    def below(x: float) -> float:
        return 0.5 * (1 + math.erf((x - 0.5) / (sigma * math.sqrt(2))))

    whole = below(1.0) - below(0.0)
    wanted = [(below(k / 4 + 0.25) - below(k / 4)) / whole for k in range(4)]
    torch.testing.assert_close(histogram, torch.tensor(wanted))
    assert histogram.sum().item() == pytest.approx(1)
    # Its mean is the target, where the edges do not cut it off.
    fine = HLGauss(4, HeadConfig(kind="hl_gauss", bins=51))
    torch.testing.assert_close(
        fine.histogram(torch.tensor([0.37])) @ fine.centres, torch.tensor([0.37])
    )


def test_quantile_loss_by_hand() -> None:
    """Two quantiles against two samples: 0.25 and 0.75, of 0 and 1, with kappa 0.5."""
    quantiles, fractions = torch.tensor([[0.0, 0.8]]), torch.tensor([[0.25, 0.75]])
    target = torch.tensor([[0.2, 1.0]])
    # errors: 0.2 and 1.0 of the first quantile, -0.6 and 0.2 of the second
    first = 0.25 * (0.5 * 0.2**2) / 0.5 + 0.25 * 0.5 * (1.0 - 0.25) / 0.5
    second = 0.25 * 0.5 * (0.6 - 0.25) / 0.5 + 0.75 * (0.5 * 0.2**2) / 0.5
    wanted = (first + second) / 2
    found = quantile_huber(quantiles, fractions, target, 0.5)
    torch.testing.assert_close(found, torch.tensor([wanted]))


def test_quantile_regression_finds_the_quantiles() -> None:
    """Of returns that are 0 or 1 with 30 %: those below 0.7 are 0, the others 1."""
    torch.manual_seed(0)
    fractions = torch.tensor([[0.2, 0.5, 0.6, 0.8, 0.95]])
    quantiles = torch.full((1, 5), 0.5, requires_grad=True)
    optimizer = torch.optim.Adam([quantiles], 0.02)
    returns = (torch.arange(1000) < 300).float()[None]
    for _ in range(300):
        optimizer.zero_grad()
        loss = quantile_huber(quantiles, fractions, returns, 0.002).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    torch.testing.assert_close(
        quantiles.detach(), torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]]), atol=0.05, rtol=0
    )


def test_distributional_target_moves_each_quantile() -> None:
    head = Q2R(4, HeadConfig(kind="q2r", quantiles=2))
    target = head.target(torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([[0.2, 0.6]]))
    torch.testing.assert_close(target, torch.tensor([[1.1, 1.3]]))


@pytest.mark.parametrize(("risk", "level"), [("wang", -0.75), ("pow", -2.0), ("cvar", 0.4)])
def test_averse_to_risk_prefers_the_certain(risk: Risk, level: float) -> None:
    config = HeadConfig(kind="q2r", quantiles=100, risk=risk, risk_level=level)
    head = Q2R(4, config)
    certain = torch.full((100,), 0.5)
    gamble = (torch.arange(100) >= 48).float()  # 0 or 1, a little better in the mean
    assert gamble.mean() > 0.5
    assert head.value(gamble) < head.value(certain)
    assert head.value(certain).item() == pytest.approx(0.5, abs=1e-4)


def test_known_tastes_for_risk() -> None:
    """beta(0.5) is 0.2 for CVaR of 0.4, 1 - 0.5^(1/3) for Pow of -2, 0.2266 for Wang of -0.75: half
    of the attention lies below."""
    for risk, level, place in (("cvar", 0.4, 0.2), ("pow", -2.0, 0.2063), ("wang", -0.75, 0.2266)):
        half = undistorted(torch.tensor([place]), cast(Risk, risk), level)
        assert half.item() == pytest.approx(0.5, abs=1e-4)
    all_of_it = torch.tensor([0.0, 1.0])
    for risk in ("neutral", "wang", "pow", "cvar"):
        torch.testing.assert_close(undistorted(all_of_it, cast(Risk, risk), 0.4), all_of_it)


@pytest.mark.parametrize("kind", ["sigmoid", "hl_gauss", "q2r", "q2f"])
def test_each_head_learns_the_mean_of_what_varies(kind: Kind) -> None:
    """Features tell the kind of return: evenly within 0 to 0.4, or within 0.4 to 1."""
    torch.manual_seed(0)
    head = make_head(8, HeadConfig(kind=kind, quantiles=20))
    sides = torch.eye(8)[torch.arange(256) % 2]
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    nothing = torch.zeros(256)
    for _ in range(400):
        reward = torch.where(sides[:, 0] == 1, 0.4 * torch.rand(256), 0.4 + 0.6 * torch.rand(256))
        prediction = head(sides)
        target = head.target(reward, nothing, prediction.detach())
        optimizer.zero_grad()
        head.loss(prediction, target).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        values = head.value(head(sides[:2]))
    torch.testing.assert_close(values, torch.tensor([0.2, 0.7]), atol=0.1, rtol=0)


def test_fractions_are_drawn_in_learning_and_evenly_spread_in_acting() -> None:
    head = Q2F(4, HeadConfig(kind="q2f", samples=4))
    features = torch.randn(3, 4)
    drawn = head(features)[..., 4:]
    assert not torch.equal(drawn, head(features)[..., 4:])
    assert (4 * drawn).floor().tolist() == [[0, 1, 2, 3]] * 3
    with torch.no_grad():
        assert head(features)[0, 4:].tolist() == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize("kind", ["q2r", "q2f"])
def test_a_taste_for_risk_does_not_touch_what_is_learnt(kind: Kind) -> None:
    """Targets are samples of the whole return, however actions are ranked; were they of its worst
    part, each backup would make them worse."""
    config = HeadConfig(kind=kind, samples=50, quantiles=50, risk="cvar", risk_level=0.4)
    head = make_head(4, config)
    whole = (torch.arange(50) + 0.5) / 50  # of a return that is even within 0 to 1
    following = torch.cat([whole, whole])[None, : 100 if kind == "q2f" else 50]
    assert head.value(following).item() == pytest.approx(0.2, abs=0.01)
    target = head.target(torch.zeros(1), torch.ones(1), following)
    torch.testing.assert_close(target, whole[None])

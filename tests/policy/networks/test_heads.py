"""Heads against closed forms and numbers worked out by hand."""

from __future__ import annotations

import math

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
    distorted,
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


@pytest.mark.parametrize(
    ("risk", "level"),
    [("neutral", 0.0), ("wang", -0.75), ("pow", -2.0), ("pow", 2.0), ("cvar", 0.4)],
)
def test_distortion_and_its_inverse(risk: Risk, level: float) -> None:
    fractions = torch.linspace(0.05, 0.95, 7)
    there = distorted(fractions, risk, level)
    torch.testing.assert_close(undistorted(there, risk, level), fractions, atol=1e-5, rtol=1e-5)


def test_known_distortions() -> None:
    """CVaR looks at the worst part only; Pow of -2 at 1 - (1 - t)^(1/3); Wang shifts the normal."""
    half = torch.tensor([0.5])
    assert distorted(half, "cvar", 0.4).item() == pytest.approx(0.2)
    assert distorted(half, "pow", -2.0).item() == pytest.approx(1 - 0.5 ** (1 / 3))
    assert distorted(half, "wang", -0.75).item() == pytest.approx(0.2266, abs=1e-4)


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
    assert not torch.equal(head(features)[..., 4:], head(features)[..., 4:])
    with torch.no_grad():
        assert head(features)[0, 4:].tolist() == [0.125, 0.375, 0.625, 0.875]

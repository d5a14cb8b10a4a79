"""Target networks."""

from __future__ import annotations

import torch
from torch import nn

from policy.learners.targets import frozen_copy, polyak


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def fill(module: nn.Module, name: str, value: float) -> None:
    module.state_dict()[name].fill_(value)


def test_a_frozen_copy_stays_while_its_source_learns() -> None:
    source = network()
    target = frozen_copy(source)
    before = {name: value.clone() for name, value in source.state_dict().items()}
    fill(source, "0.weight", 5.0)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())
    assert not any(weight.requires_grad for weight in target.parameters())
    assert not target.training


def test_polyak_averages_weights_and_copies_statistics() -> None:
    source = network()
    target = frozen_copy(source)
    fill(target, "0.weight", 1.0)
    fill(source, "0.weight", 2.0)
    fill(source, "1.running_mean", 7.0)
    polyak(target, source, 0.9)
    averaged = target.state_dict()
    torch.testing.assert_close(averaged["0.weight"], torch.full((2, 3), 1.1))
    assert averaged["1.running_mean"].tolist() == [7.0, 7.0]
    polyak(target, source, 0.0)
    assert all(torch.equal(v, source.state_dict()[n]) for n, v in target.state_dict().items())

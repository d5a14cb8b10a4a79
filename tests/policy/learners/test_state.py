"""A learner's state as flat tensors, through the file format that checkpoints use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from policy.contract import ContractError
from policy.learners.state import Parts, flatten, restore

Make = Callable[[Any], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "momentum": lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9),
    "adam": lambda weights: torch.optim.AdamW(weights, 0.1),
    "fused adam": lambda weights: torch.optim.Adam(weights, 0.1, fused=True),
}


def parts(make: Make, seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 1))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, make(network.parameters())


def learn(network: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.rand(8, 3, 3, 3)).square().mean().backward()
        optimizer.step()


def through_a_file(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """There and back, everything laid out anew."""
    return load(save({name: value.contiguous() for name, value in state.items()}))


def named(network: nn.Module, optimizer: torch.optim.Optimizer, updates: int = 0) -> Parts:
    return {"network": network, "optimizer": optimizer, "updates": updates}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_restored_run_goes_on_bit_for_bit(make: Make) -> None:
    first, second = parts(make, 0), parts(make, 1)
    learn(*first, 3)
    kept = through_a_file(flatten(named(*first, updates=3)))
    assert all(isinstance(value, Tensor) for value in kept.values())
    assert restore(named(*second), kept) == {"updates": 3}
    for pair in (first, second):
        torch.manual_seed(5)
        learn(*pair, 3)
    ours, theirs = flatten(named(*first)), flatten(named(*second))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_learning_rates_are_the_configurations() -> None:
    network, optimizer = parts(OPTIMIZERS["adam"], 0)
    learn(network, optimizer, 1)
    state = flatten(named(network, optimizer))
    slower = torch.optim.AdamW(network.parameters(), 0.01)
    restore(named(network, slower), state)
    assert slower.param_groups[0]["lr"] == 0.01


def test_all_that_does_not_fit_is_named_and_nothing_is_changed() -> None:
    network, optimizer = parts(OPTIMIZERS["adam"], 0)
    learn(network, optimizer, 1)
    state = flatten(named(network, optimizer))
    del state["network.3.bias"]
    state["network.0.weight"] = torch.zeros(1)
    state["optimizer.0.exp_avg"] = torch.zeros(2)
    state["optimizer.99.exp_avg"] = torch.zeros(2)
    state["critic.weight"] = torch.zeros(2)
    before = {name: value.clone() for name, value in flatten(named(network, optimizer)).items()}
    with pytest.raises(ContractError) as refusal:
        restore(named(network, optimizer), state)
    assert [problem.field for problem in refusal.value.problems] == [
        "critic.weight",
        "network.0.weight",
        "network.3.bias",
        "optimizer.0.exp_avg",
        "optimizer.99.exp_avg",
    ]
    after = flatten(named(network, optimizer))
    assert all(torch.equal(before[name], after[name]) for name in before)

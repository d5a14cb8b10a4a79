"""The published critic: its size, its shapes, and the late merge."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from policy.contract import Invalid
from policy.networks.grasping44 import Grasping44
from policy.networks.heads import HeadConfig, make_head
from policy.networks.small import Small

PUBLISHED = 1_242_817


def count(*modules: nn.Module) -> int:
    return sum(weight.numel() for module in modules for weight in module.parameters())


def test_has_as_many_parameters_as_published() -> None:
    network = Grasping44(3, 472)
    assert count(network, make_head(network.features, HeadConfig())) == PUBLISHED


def test_maps_have_the_published_sizes() -> None:
    network = Grasping44(3, 472).eval()
    with torch.no_grad():
        seen, state = network.encode(torch.zeros(1, 3, 472, 472), torch.zeros(1, 2))
        assert seen.shape == (1, 64, 27, 27)  # behind pool2
        assert network._behind(seen).shape == (1, 4096)  # 8 x 8 x 64
        assert network((seen, state), torch.zeros(1, 5, 8)).shape == (1, 5, 64)


def test_refuses_pictures_that_its_last_convolutions_cannot_see() -> None:
    Grasping44(3, 217)
    with pytest.raises(Invalid, match="found 216, wanted 217 px or more; take network: small"):
        Grasping44(3, 216)


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("size", [64, 96, 128])
def test_small_rates_actions_together_as_it_does_alone(norm: str, size: int) -> None:
    torch.manual_seed(0)
    network = Small(3, size, (1, 1), (2, 1), norm).eval()  # type: ignore[arg-type]
    images, state = torch.rand(2, 3, size, size), torch.randn(2, 2)
    actions = torch.randn(2, 6, 3)
    with torch.no_grad():
        encoded = network.encode(images, state)
        together = network(encoded, actions)
        for k in range(6):
            torch.testing.assert_close(
                network(encoded, actions[:, k : k + 1])[:, 0], together[:, k]
            )
    assert together.shape == (2, 6, network.features)


def test_published_merge_rates_actions_together_as_it_does_alone() -> None:
    torch.manual_seed(0)
    network = Grasping44(3, 217, state=(1,), action=(2, 1), norm="group").eval()
    images, actions = torch.rand(2, 3, 217, 217), torch.randn(2, 3, 3)
    with torch.no_grad():
        encoded = network.encode(images, torch.randn(2, 1))
        together = network(encoded, actions)
        one = network(encoded, actions[:, 1:2])[:, 0]
    torch.testing.assert_close(one, together[:, 1], rtol=1e-4, atol=1e-5)

"""Adam that takes weights as they lie: torch's own numbers, without its copies."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.profiler import profile

from sim2real.adam import FusedAdam

RATE, BETAS = 2e-4, (0.5, 0.999)


def network() -> nn.Module:
    torch.manual_seed(0)
    parts = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ConvTranspose2d(8, 4, 4, 2),
        nn.Conv2d(4, 4, 1),  # lies both ways
        nn.Flatten(),
        nn.Linear(4 * 14 * 14, 2),
    )
    laid_out: nn.Module = parts.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid_out


def learn(made: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    torch.manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        made(torch.rand(2, 3, 8, 8)).square().mean().backward()
        optimizer.step()


def state(made: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    moments = {
        f"{k}.{name}": value
        for k, of in optimizer.state_dict()["state"].items()
        for name, value in of.items()
    }
    return made.state_dict() | moments


def test_a_step_is_torchs_own_bit_for_bit() -> None:
    ours, theirs = network(), network()
    mine = FusedAdam(ours.parameters(), RATE, BETAS)
    reference = torch.optim.Adam(theirs.parameters(), RATE, BETAS, fused=True)
    learn(ours, mine, 4)
    learn(theirs, reference, 4)
    found, wanted = state(ours, mine), state(theirs, reference)
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        assert torch.equal(value, wanted[name]), name
        assert value.stride() == wanted[name].stride(), name


def test_no_weight_is_copied() -> None:
    made = network()
    for optimizer, copies in (
        (FusedAdam(made.parameters(), RATE, BETAS), False),
        (torch.optim.Adam(made.parameters(), RATE, BETAS, fused=True), True),
    ):
        learn(made, optimizer, 1)
        with profile(record_shapes=True) as seen:
            optimizer.step()
        copied = [one.input_shapes[0] for one in seen.events() if one.name == "aten::copy_"]
        assert any(len(shape) == 4 for shape in copied) == copies

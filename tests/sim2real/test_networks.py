"""The networks against what they claim to be: the published layers, right in any memory format."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from policy.contract import Invalid
from policy.learners.precision import Precision, autocast
from sim2real.networks import (
    Mirrored,
    NetworkConfig,
    PictureNorm,
    make_discriminator,
    make_generator,
)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_norm_is_instance_norm_forward_and_backward(
    rows: int, layout: torch.memory_format
) -> None:
    """Of one picture in channels-last memory, torch's own backward is off by its own size."""
    torch.manual_seed(0)
    x, weight = torch.randn(rows, 6, 9, 9), torch.randn(rows, 6, 9, 9)
    wanted = x.double().requires_grad_()
    torch.autograd.backward(F.instance_norm(wanted), weight.double())
    ours = x.clone(memory_format=layout).requires_grad_()
    found = PictureNorm()(ours)
    torch.autograd.backward(found, weight.contiguous(memory_format=layout))
    assert wanted.grad is not None
    assert ours.grad is not None
    torch.testing.assert_close(found, F.instance_norm(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.grad.double(), wanted.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["resnet", "unet"])
def test_a_generators_gradient_does_not_depend_on_the_batch(kind: str) -> None:
    torch.manual_seed(0)
    config = NetworkConfig(kind, width=4, blocks=1)  # type: ignore[arg-type]
    network = make_generator(config, 16)
    pictures = torch.randn(3, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    together = network(pictures)
    assert together.shape == pictures.shape
    assert together.abs().max() <= 1
    torch.autograd.backward(together.square().sum())
    whole = [w.grad.clone() for w in network.parameters() if w.grad is not None]
    network.zero_grad()
    for picture in pictures:
        alone = picture[None].contiguous(memory_format=torch.channels_last)
        torch.autograd.backward(network(alone).square().sum())
    for wanted, weight in zip(whole, network.parameters(), strict=True):
        assert weight.grad is not None
        torch.testing.assert_close(weight.grad, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["resnet", "unet"])
def test_across_a_network_that_says_nothing_paints_what_it_is_shown(kind: str) -> None:
    """Black and white nearly, from where they can still change; masks and depth are its own."""
    torch.manual_seed(0)
    config = NetworkConfig(kind, width=4, blocks=1, across=True)  # type: ignore[arg-type]
    network = make_generator(config, 16, outputs=8)
    convolutions = (nn.Conv2d, nn.ConvTranspose2d)
    last = [part for part in network.modules() if isinstance(part, convolutions)][-1]
    nn.init.zeros_(last.weight)
    pictures = torch.rand(2, 3, 16, 16).mul(2).sub(1)
    pictures[0], pictures[1, 0] = -1.0, 1.0
    painted = network(pictures.requires_grad_())
    torch.testing.assert_close(painted[:, :3], 0.95 * pictures)
    assert painted[:, 3:].count_nonzero() == 0
    torch.autograd.backward(painted.square().sum())
    assert pictures.grad is not None
    assert pictures.grad.isfinite().all()
    assert last.weight.grad is not None
    assert last.weight.grad.count_nonzero() > 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_mirror_is_torchs_own(precision: Precision) -> None:
    torch.manual_seed(0)
    ours = Mirrored(4, 6, 7)
    theirs = nn.Conv2d(4, 6, 7, padding=3, padding_mode="reflect")
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 12, 12).contiguous(memory_format=torch.channels_last)
    found, wanted = (x.clone().requires_grad_() for _ in range(2))
    with autocast(torch.device("cpu"), precision):
        pictures = [ours(found), theirs(wanted)]
    for picture in pictures:
        torch.autograd.backward(picture.float().square().sum())
    off = 2e-2 if precision == "bf16" else 1e-5
    torch.testing.assert_close(*pictures, rtol=off, atol=off)
    torch.testing.assert_close(found.grad, wanted.grad, rtol=off, atol=off)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=off, atol=off)


def test_the_published_sizes() -> None:
    """CycleGAN's ResNet-9 and its 70x70 PatchGAN, but for the biases that a norm takes away."""
    generator = make_generator(NetworkConfig(width=64, blocks=9), 64)
    weights = sum(w.numel() for w in generator.parameters() if w.ndim == 4)
    blocks, ends = 9 * 2 * 256 * 256 * 9, 2 * 3 * 64 * 49
    down, up = (64 * 128 + 128 * 256) * 9, (256 * 128 + 128 * 64) * 16
    assert weights == blocks + ends + down + up
    judge = make_discriminator(NetworkConfig(discriminator_width=64, discriminator_layers=3), 256)
    assert receptive(judge) == 70
    assert judge(torch.randn(1, 3, 64, 64)).shape == (1, 1, 6, 6)


def receptive(network: nn.Module) -> int:
    """px, of a patch that one verdict is of."""
    size = 1
    for layer in reversed([m for m in network.modules() if isinstance(m, nn.Conv2d)]):
        size = (size - 1) * layer.stride[0] + layer.kernel_size[0]
    return size


def test_a_size_that_cannot_be_halved_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="size: found 66, wanted a multiple of 4"):
        make_generator(NetworkConfig(), 66)
    with pytest.raises(Invalid, match="size: found 60, wanted a multiple of 8"):
        make_generator(NetworkConfig("unet"), 60)


def test_a_discriminator_that_would_have_nothing_left_is_refused() -> None:
    deep = NetworkConfig(discriminator_width=4, discriminator_layers=3)
    assert make_discriminator(deep, 24)(torch.zeros(1, 3, 24, 24)).shape == (1, 1, 1, 1)
    with pytest.raises(Invalid, match="discriminator_layers: found 3, wanted 2 or less at 16 px"):
        make_discriminator(deep, 16)
    less = NetworkConfig(discriminator_width=4, discriminator_layers=2)
    assert make_discriminator(less, 16)(torch.zeros(1, 3, 16, 16)).shape[2:] == (2, 2)

"""Generators and discriminator, as CycleGAN has them, in a form that is fast on a CPU too.

Each picture is normalised by its own channels. `InstanceNorm2d` does that, but of one picture in
channels-last memory its backward pass is silently wrong; a group norm with a group a channel is
right, and took half of a generator's step on a CPU. A batch norm of one picture at a time is the
same function, right, and quick in that memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Invalid, Strict

DEEPEST = 5  # halvings of a U-Net
NEARLY = 0.95  # of black and white: beyond, a network could hardly change them


@dataclass(frozen=True)
class NetworkConfig(Strict):
    """Published: resnet, 64 wide, 9 blocks (6 at 128 px); 70x70 px patches are 3 layers."""

    generator: Literal["resnet", "unet"] | None = None  # None: as published for the translator
    width: int = 32  # channels of the first convolution
    blocks: int = 4  # resnet
    across: bool = False  # paint what is to change, upon the picture: not as published
    discriminator_width: int = 32
    discriminator_layers: int = 2  # at 64 px, 3 would judge the whole picture at once


def make_generator(config: NetworkConfig, size: int, outputs: int = 3) -> nn.Module:
    if config.generator == "unet":
        return prepared(UNet(config.width, size, outputs, config.across))
    if size % 4:
        raise Invalid("size", size, "a multiple of 4", "the generator halves it twice")
    return prepared(ResNet(config.width, config.blocks, outputs, config.across))


def make_discriminator(config: NetworkConfig, size: int) -> nn.Module:
    if size >> config.discriminator_layers < 3:
        most = (size // 3).bit_length() - 1
        wanted = f"{most} or less at {size} px"
        remedy = "nothing would be left to judge"
        raise Invalid("networks.discriminator_layers", config.discriminator_layers, wanted, remedy)
    return prepared(PatchGAN(config.discriminator_width, config.discriminator_layers))


def prepared(network: nn.Module) -> nn.Module:
    """Weights as published, N(0, 0.02), and laid out as they are used."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    laid_out: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid_out


class PictureNorm(nn.Module):
    """`InstanceNorm2d` without weights."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_exporting():  # a graph is for any number of pictures, and forward only
            return F.instance_norm(x)
        # Not `tensor_split`: on the way back each of its slices would fill a whole batch.
        each = [F.batch_norm(one, None, None, training=True) for one in torch.split(x, 1)]
        return torch.cat(each) if len(each) > 1 else each[0]


class Mirrored(nn.Conv2d):
    """With what lies beyond the edge as in a mirror; in bf16 too, where autocast would turn all of
    the picture into float32 for it, and back."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        same = kernel // 2
        super().__init__(inputs, outputs, kernel, padding=same, bias=bias, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        device = x.device.type
        if not torch.is_autocast_enabled(device):
            return super().forward(x)
        with torch.autocast(device, enabled=False):
            x = F.pad(x, self._reversed_padding_repeated_twice, mode="reflect")
        return F.conv2d(x, self.weight, self.bias)


def in_range(made: Tensor, pictures: Tensor, across: bool) -> Tensor:
    """In [-1, 1]. Across, a network that says nothing paints the picture itself (what it makes
    beside it is its own): what was sharp is so from the first update on."""
    if across:
        begun = torch.atanh(NEARLY * pictures)
        made = made + F.pad(begun, (0, 0, 0, 0, 0, made.shape[1] - pictures.shape[1]))
    return torch.tanh(made)


class ResNet(nn.Module):
    """(B, 3, H, W) in [-1, 1] to the same: twice halved, residual blocks, twice doubled."""

    def __init__(self, width: int, blocks: int, outputs: int, across: bool = False) -> None:
        super().__init__()
        self._across = across
        layers: list[nn.Module] = [*_mirrored(3, width, 7)]
        layers += [*_halved(width, 2 * width), *_halved(2 * width, 4 * width)]
        layers += [Residual(4 * width) for _ in range(blocks)]
        layers += [*_up(4 * width, 2 * width), *_up(2 * width, width)]
        self.layers = nn.Sequential(*layers, Mirrored(width, outputs, 7))

    def forward(self, pictures: Tensor) -> Tensor:
        return in_range(self.layers(pictures), pictures, self._across)


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (_mirrored(channels, channels, 3) for _ in range(2))
        self.layers = nn.Sequential(*first, *second[:-1])

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.layers(x)
        return result


class UNet(nn.Module):
    """Each halving hands what it saw across: details keep their place."""

    def __init__(self, width: int, size: int, outputs: int, across: bool = False) -> None:
        super().__init__()
        self._across = across
        depth = min((size & -size).bit_length() - 2, DEEPEST)  # halvings that leave 2 px or more
        if depth < 2:
            raise Invalid("size", size, "a multiple of 8", "it is halved again and again")
        widths = [width * min(2**k, 8) for k in range(depth)]
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 4, 2, 1),
                *([PictureNorm()] if k else []),
                nn.LeakyReLU(0.2),
            )
            for k, (inputs, outputs) in enumerate(zip([3, *widths], widths, strict=False))
        )
        ups = []
        for k in reversed(range(1, depth)):
            inputs = widths[k] * (1 if k == depth - 1 else 2)
            ups.append(nn.Sequential(*_up(inputs, widths[k - 1])))
        self.up = nn.ModuleList(ups)
        self.last = nn.ConvTranspose2d(2 * width, outputs, 4, 2, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        seen, x = [], pictures
        for down in self.down:
            x = down(x)
            seen.append(x)
        for up, across in zip(self.up, reversed(seen[:-1]), strict=True):
            x = torch.cat([up(x), across], dim=1)
        return in_range(self.last(x), pictures, self._across)


class PatchGAN(nn.Module):
    """Of each patch of the picture, how real it looks: (B, 1, h, w)."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        inputs = width
        for k in range(1, layers + 1):
            outputs = width * min(2**k, 8)
            stride = 1 if k == layers else 2
            parts += [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False), PictureNorm()]
            parts.append(nn.LeakyReLU(0.2))
            inputs = outputs
        self.layers = nn.Sequential(*parts, nn.Conv2d(inputs, 1, 4, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.layers(pictures)
        return found


def _mirrored(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    return [Mirrored(inputs, outputs, kernel, bias=False), PictureNorm(), nn.ReLU()]


def _halved(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), PictureNorm(), nn.ReLU()]


def _up(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
    return [convolution, PictureNorm(), nn.ReLU()]

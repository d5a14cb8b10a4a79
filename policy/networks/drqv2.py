"""DrQ-v2's networks: a small encoder, an actor and twin critics, each with a trunk of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from policy.contract import Interface, Invalid, Strict
from policy.networks.acting import PolicyModule
from policy.networks.scaling import Scaling

LEAST = 15  # px: what the convolutions leave a pixel of


@dataclass(frozen=True)
class Sizes(Strict):
    """Published values."""

    stack: int = 3  # pictures
    width: int = 32  # channels of the convolutions
    features: int = 50
    hidden: int = 1024


class Encoder(nn.Module):
    """Pictures in [-0.5, 0.5] -> (B, outputs)."""

    def __init__(self, interface: Interface, sizes: Sizes) -> None:
        images, width = interface.observation.images, sizes.width
        found = sorted({(image.height, image.width) for image in images})
        if len(found) != 1 or min(found[0]) < LEAST:
            wanted, remedy = f"one size, {LEAST} px or more a side", "crop and resize them first"
            raise Invalid("images", found or "none", wanted, remedy)
        super().__init__()
        inputs = sizes.stack * sum(image.channels for image in images)
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3, stride=2), nn.ReLU(inplace=True)]
        for _ in range(3):
            layers += [nn.Conv2d(width, width, 3), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        # No edge is padded: the stride of 2 halves, then each layer takes 2 px off.
        height, across = [(side - 1) // 2 - 6 for side in found[0]]
        self.outputs = width * height * across

    def forward(self, pictures: Tensor) -> Tensor:
        # In the order in which channels-last maps lie in memory: nothing is copied.
        maps: Tensor = self.layers(pictures)
        return maps.permute(0, 2, 3, 1).flatten(1)


class Trunk(nn.Module):
    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(inputs, features), nn.LayerNorm(features)

    def forward(self, encoded: Tensor, state: Tensor) -> Tensor:
        features = torch.tanh(self.norm(self.linear(encoded).float()))
        return torch.cat([features, state], dim=1)


class MLP(nn.Module):
    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            *(nn.Linear(inputs, hidden), nn.ReLU(inplace=True)),
            *(nn.Linear(hidden, hidden), nn.ReLU(inplace=True)),
        )
        self.last = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        features = self.hidden(x).float()
        with torch.autocast(x.device.type, enabled=False):  # of a return of 100, bf16 tells 0.5
            outputs: Tensor = self.last(features)
        return outputs


class Actor(nn.Module):
    """The mean action, in [-1, 1]."""

    def __init__(self, encoded: int, state: int, actions: int, sizes: Sizes) -> None:
        super().__init__()
        self.trunk = Trunk(encoded, sizes.features)
        self.mlp = MLP(sizes.features + state, sizes.hidden, actions)

    def forward(self, encoded: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(self.mlp(self.trunk(encoded, state)))


class Critic(nn.Module):
    """What both think of a scaled action: (2, B)."""

    def __init__(self, encoded: int, state: int, actions: int, sizes: Sizes) -> None:
        super().__init__()
        self.trunk = Trunk(encoded, sizes.features)
        inputs = sizes.features + state + actions
        self.twins = nn.ModuleList(MLP(inputs, sizes.hidden, 1) for _ in range(2))

    def forward(self, encoded: Tensor, state: Tensor, action: Tensor) -> Tensor:
        x = torch.cat([self.trunk(encoded, state), action], dim=1)
        return torch.stack([twin(x).squeeze(1) for twin in self.twins])


class ActorPolicy(PolicyModule):
    """All that acts, and the critics that say what it is worth."""

    def __init__(self, interface: Interface, sizes: Sizes) -> None:
        super().__init__()
        self.scaling = Scaling(interface)
        self.encoder = Encoder(interface, sizes)
        around = (self.encoder.outputs, self.scaling.state_size, len(interface.action))
        self.actor, self.critic = Actor(*around, sizes), Critic(*around, sizes)
        self.apply(_initialize)
        self.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self,
        images: Tensor,
        proprio: Tensor,
        past_actions: Tensor,
        limits: Tensor,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        encoded, state = self.encoder(images - 0.5), self.scaling.state(proprio, past_actions)
        action = self.scaling.unscaled(self.actor(encoded, state))
        action = action.clamp(limits[:, 0], limits[:, 1])
        return action, self.critic(encoded, state, self.scaling.action(action)).amin(0)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        gain = 2**0.5 if isinstance(module, nn.Conv2d) else 1.0
        nn.init.orthogonal_(module.weight, gain)
        assert module.bias is not None
        nn.init.zeros_(module.bias)

"""Q(s, a): a network, the scaling around it and the head on top of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from policy.contract import Deployment, Interface, Invalid, Strict

from .grasping44 import Grasping44
from .hand import Hand
from .heads import HeadConfig, make_head
from .layers import Norm
from .scaling import Scaling
from .small import Small


@dataclass(frozen=True)
class CriticConfig(Strict):
    network: Literal["small", "grasping44"] = "small"
    # What the network is shown: frames as they are, or the floor around the hand (hand.py).
    shown: Literal["frame", "hand"] = "frame"
    norm: Norm = "group"
    width: int = 32  # small: channels of the first convolution
    hidden: int = 256  # small: of the layers behind the merge
    head: HeadConfig = field(default_factory=HeadConfig)
    # Off: encode the picture again for each action, as a critic that takes both at its input must.
    late_merge: bool = True


class Predict(Protocol):
    """What a critic thinks of actions in states that it has looked at."""

    def __call__(self, actions: Tensor, rows: Tensor | slice = slice(None)) -> Tensor:
        """Scaled actions (B, N, A) -> predictions (B, N, K); in some of the states, if only the
        actions of those are given."""
        ...


class Critic(nn.Module):
    """Looks at the cameras of `interface`, which are of the network's size, stacked along the
    channels."""

    def __init__(
        self,
        interface: Interface,
        config: CriticConfig,
        deployment: Deployment | None = None,
    ) -> None:
        super().__init__()
        images = interface.observation.images
        sizes = {(image.height, image.width) for image in images}
        if len(sizes) != 1 or len(set(*sizes)) != 1:
            found = ", ".join(f"{i.name} {i.height}x{i.width}" for i in images) or "none"
            raise Invalid("images", found, "squares of one size", "crop and resize them first")
        self.config = config
        self.scaling = Scaling(interface)
        channels = sum(image.channels for image in images)
        self.hand = Hand(interface, deployment) if config.shown == "hand" else None
        # An entry that stands for itself is a part; the moves are one, and so is the window.
        moves = int((~self.scaling.switch).sum())
        self._order: Tensor
        order = torch.argsort(self.scaling.switch.to(torch.uint8), stable=True)
        self.register_buffer("_order", order, persistent=False)
        action = [*([moves] if moves else []), *[1] * (len(interface.action) - moves)]
        spec = interface.observation
        state = [1] * (len(self.hand.others) if self.hand else len(spec.proprio))
        if window := spec.action_window * len(interface.action):
            state.append(window)
        made: dict[str, Any] = {"norm": config.norm, "state": state, "action": action}
        size = self.hand.size if self.hand else images[0].height
        if config.network == "small":
            made |= {"width": config.width, "hidden": config.hidden}
            aims = self.hand.aims if self.hand else 0
            self.network: Small | Grasping44 = Small(channels, size, **made, aims=aims)
        else:
            self.network = Grasping44(channels, size, **made)
        self.head = make_head(self.network.features, config.head)

    def encode(
        self, images: Tensor, proprio: Tensor, past_actions: Tensor, mirror: float | None = None
    ) -> Any:
        """Images (B, C, H, W) in [0, 1] -> what `forward` needs of a state; `mirror` is -1 for its
        mirror image, where there is a hand that can be mirrored."""
        sensed, past = self.scaling.proprio(proprio), self.scaling.action(past_actions)
        turn = None
        if self.hand is not None:
            images, turn = self.hand(images, proprio, mirror)
            sensed, past = sensed[:, self.hand.others], self.hand.turned(past, turn)
        state = torch.cat([sensed, past.flatten(1)], dim=1)
        return self.network.encode(images, state), turn, proprio, past

    def forward(self, encoded: Any, actions: Tensor) -> Tensor:
        """Scaled actions (B, N, A) -> predictions (B, N, K)."""
        seen, turn, proprio, past = encoded
        turned = self.hand.turned(actions, turn) if self.hand is not None else actions
        ordered = turned[..., self._order]
        if isinstance(self.network, Small):
            aims = self.hand.aim(proprio, past, turned) if self.hand is not None else None
            features = self.network(seen, ordered, aims)
        else:
            features = self.network(seen, ordered)
        # Rounded to eight bits, the values of neighbouring actions would be equal.
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features.float())

    def scorer(
        self, images: Tensor, proprio: Tensor, past_actions: Tensor, mirror: float | None = None
    ) -> Predict:
        """Looks at the states as late as the configuration says."""
        if self.config.late_merge:
            encoded = self.encode(images, proprio, past_actions, mirror)
            return lambda actions, rows=slice(None): self.forward(_rows(encoded, rows), actions)

        def naive(actions: Tensor, rows: Tensor | slice = slice(None)) -> Tensor:
            batch, count, size = actions.shape
            one, two, three = (
                part[rows].repeat_interleave(count, dim=0)
                for part in (images, proprio, past_actions)
            )
            encoded = self.encode(one, two, three, mirror)
            prediction = self.forward(encoded, actions.reshape(batch * count, 1, size))
            return prediction.view(batch, count, -1)

        return naive


def _rows(encoded: Any, rows: Tensor | slice) -> Any:
    if isinstance(encoded, tuple):
        return tuple(_rows(part, rows) for part in encoded)
    return None if encoded is None else encoded[rows]

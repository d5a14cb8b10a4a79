"""One update of DrQ-v2, written out in full: no modules, no optimizers, nothing shared.

Of the method this follows the paper; of the learner it knows only how its weights are named, that
maps are flattened channel last, and in which order it draws its random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

Weights = dict[str, Tensor]


class Plain:
    def __init__(
        self, state: Weights, pad: int, stddev: float, clip: float, tau: float, rate: float
    ):
        self.weights = {
            name: value.clone().contiguous()
            for name, value in state.items()
            if name.startswith(("policy.", "target."))
        }
        self.pad, self.stddev, self.clip, self.tau, self.rate = pad, stddev, clip, tau, rate
        self.moments = {name: (torch.zeros_like(v),) * 2 for name, v in self.weights.items()}
        self.updates = 0

    def update(
        self,
        frames: Tensor,
        next_frames: Tensor,
        states: tuple[Tensor, Tensor],
        action: Tensor,
        reward: Tensor,
        discount: Tensor,
    ) -> None:
        """Frames uint8 (B, stack, H, W, C); states and actions scaled."""
        self.updates += 1
        pictures, next_pictures = self.moved(frames), self.moved(next_frames)
        state, next_state = states
        following = self.encoded(next_pictures)
        best = self.noisy(self.mean(following, next_state))
        target = reward + discount * torch.minimum(
            *self.values("target", following, next_state, best)
        )
        weights = [name for name in self.weights if name.startswith("policy.")]
        actor = [name for name in weights if name.startswith("policy.actor.")]
        critic = [name for name in weights if name not in actor]
        for name in weights:
            self.weights[name] = self.weights[name].detach().requires_grad_()
        encoded = self.encoded(pictures)
        first, second = self.values("policy.critic", encoded, state, action)
        self.adam(critic, F.mse_loss(first, target.detach()) + F.mse_loss(second, target.detach()))
        seen = encoded.detach()
        proposed = self.noisy(self.mean(seen, state))
        self.adam(
            actor, -torch.minimum(*self.values("policy.critic", seen, state, proposed)).mean()
        )
        for name in self.weights:
            if name.startswith("target."):
                ours = self.weights[name.replace("target.", "policy.critic.")].detach()
                self.weights[name] = (1 - self.tau) * self.weights[name] + self.tau * ours

    def moved(self, frames: Tensor) -> Tensor:
        """(B, stack x C, H, W) in [-0.5, 0.5], padded by the edge and cropped anew."""
        by = torch.randint(-self.pad, self.pad + 1, (2, len(frames), 1)).squeeze(-1)
        flat = frames.permute(0, 1, 4, 2, 3).flatten(1, 2).float() / 255 - 0.5
        padded = F.pad(flat, (self.pad,) * 4, "replicate")
        height, width = flat.shape[2:]
        crops = []
        for row, (down, right) in zip(padded, (by + self.pad).T.tolist(), strict=True):
            crops.append(row[:, down : down + height, right : right + width])
        return torch.stack(crops)

    def encoded(self, pictures: Tensor) -> Tensor:
        x = pictures
        for layer, stride in ((0, 2), (2, 1), (4, 1), (6, 1)):
            name = f"policy.encoder.layers.{layer}"
            x = F.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], stride)
            x = x.relu()
        return x.permute(0, 2, 3, 1).reshape(len(x), -1)

    def mean(self, encoded: Tensor, state: Tensor) -> Tensor:
        return self.mlp("policy.actor.mlp", self.features("policy.actor", encoded, state)).tanh()

    def values(
        self, critic: str, encoded: Tensor, state: Tensor, action: Tensor
    ) -> tuple[Tensor, Tensor]:
        x = torch.cat([self.features(critic, encoded, state), action], dim=1)
        return self.mlp(f"{critic}.twins.0", x)[:, 0], self.mlp(f"{critic}.twins.1", x)[:, 0]

    def features(self, name: str, encoded: Tensor, state: Tensor) -> Tensor:
        x = self.linear(f"{name}.trunk.linear", encoded)
        x = (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
        x = x * self.weights[f"{name}.trunk.norm.weight"] + self.weights[f"{name}.trunk.norm.bias"]
        return torch.cat([x.tanh(), state], dim=1)

    def mlp(self, name: str, x: Tensor) -> Tensor:
        for layer in ("hidden.0", "hidden.2"):
            x = self.linear(f"{name}.{layer}", x).relu()
        return self.linear(f"{name}.last", x)

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def noisy(self, mean: Tensor) -> Tensor:
        """The bound is not seen by gradients."""
        noise = (self.stddev * torch.randn(mean.shape)).clamp(-self.clip, self.clip)
        return mean + (torch.clamp(mean + noise, -1, 1) - mean).detach()

    def adam(self, names: Iterable[str], loss: Tensor) -> None:
        names = list(names)
        gradients = torch.autograd.grad(loss, [self.weights[name] for name in names])
        for name, gradient in zip(names, gradients, strict=True):
            first, second = self.moments[name]
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            self.moments[name] = first, second
            mean, square = first / (1 - 0.9**self.updates), second / (1 - 0.999**self.updates)
            step = self.rate * mean / (square.sqrt() + 1e-8)
            self.weights[name] = (self.weights[name] - step).detach().requires_grad_()

"""DrQ-v2: a deterministic actor and twin critics behind one small encoder of shifted pictures.

    target = r_1 + ... + gamma^(n-1) r_n + gamma^n min_i Q'_i(s', pi(s') + noise)

Only the critics' loss reaches the encoder. Q' is a Polyak average of the critics; noise is clipped
in both losses, and shrinks as more is known. Published, and the trainer's to keep: batches of 256,
an update every second action, actions repeated twice, a replay of 10^6.

An extension: proprioception and past actions, where the interface has them, join the trunks'
features. Of a switch, the actor proposes how far it is thrown; whoever executes it decides.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from policy.contract import Interface, Invalid, Strict, View
from policy.experience.replay.sampler import Batch, Draw
from policy.networks.acting import PolicyModule
from policy.networks.drqv2 import ActorPolicy, Sizes

from .learner import FloatArray, Metrics, Observations
from .pixels import channels, shifted
from .precision import Precision, autocast, dtype
from .state import Parts, flatten, restore, set_rate
from .targets import frozen_copy, polyak


@dataclass(frozen=True)
class LinearSchedule(Strict):
    first: float = 1.0
    last: float = 0.1
    steps: int = 500_000  # 100,000 for easy tasks, 2,000,000 for hard ones

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise Invalid("steps", self.steps, "1 or more", "for a constant, let first be last")

    def at(self, step: int) -> float:
        return self.first + min(step / self.steps, 1.0) * (self.last - self.first)


@dataclass(frozen=True)
class DrQv2Config(Strict):
    """Published values, precision included; steps are actions taken to explore."""

    sizes: Sizes = field(default_factory=Sizes)
    shift: int = 4  # px
    n_step: int = 3
    discount: float = 0.99
    tau: float = 0.01
    learning_rate: float = 1e-4
    stddev: LinearSchedule = field(default_factory=LinearSchedule)
    stddev_clip: float = 0.3
    random_steps: int = 2000  # uniformly random actions first
    precision: Precision = "fp32"


class DrQv2:
    def __init__(
        self, interface: Interface, config: DrQv2Config, device: torch.device | str = "cpu"
    ) -> None:
        self.interface, self.config, self.device = interface, config, torch.device(device)
        self.draw = Draw(
            stack=config.sizes.stack,
            n_step=config.n_step,
            window=interface.observation.action_window,
            discount=config.discount,
        )
        self.policy = ActorPolicy(interface, config.sizes).to(self.device)
        self.target = frozen_copy(self.policy.critic)
        self._critic_weights = [*self.policy.encoder.parameters(), *self.policy.critic.parameters()]
        self._actor_weights = list(self.policy.actor.parameters())
        self.critic_optimizer, self.actor_optimizer = (
            torch.optim.Adam(weights, config.learning_rate, fused=True)
            for weights in (self._critic_weights, self._actor_weights)
        )
        self.steps = 0  # actions taken to explore

    # Acting -------------------------------------------------------------------------------------

    @torch.no_grad()
    def act(self, seen: Observations, explore: bool) -> tuple[FloatArray, FloatArray]:
        """In full precision, as the exported policy does."""
        policy = self.policy
        encoded, state = self._look(seen.to(self.device), "fp32")
        scaled = policy.actor(encoded, state)
        if explore:
            scaled = self._explored(scaled)
            self.steps += len(seen)
        value = policy.critic(encoded, state, scaled).amin(0)
        return policy.scaling.unscaled(scaled).cpu().numpy(), value.cpu().numpy()

    def _explored(self, mean: Tensor) -> Tensor:
        if self.steps < self.config.random_steps:
            return 2 * torch.rand_like(mean) - 1
        return (mean + self.stddev * torch.randn_like(mean)).clamp(-1, 1)

    @property
    def stddev(self) -> float:
        return self.config.stddev.at(self.steps)

    def _look(self, seen: Observations, precision: Precision) -> tuple[Tensor, Tensor]:
        """What encoder and scaling make of states."""
        # Half of white is taken off before anything is rounded: bf16 holds the difference exactly.
        pictures = channels(seen.images).to(dtype(self.device, precision)).sub_(127.5).div_(255)
        state = self.policy.scaling.state(seen.proprio, seen.past_actions)
        return self.policy.encoder(pictures), state

    # Learning -----------------------------------------------------------------------------------

    def update(self, batch: Batch) -> Metrics:
        batch = batch.to(self.device) if self.device.type != "cpu" else batch
        now = shifted(Observations.of(batch), self.config.shift)
        after = shifted(Observations.after(batch), self.config.shift)
        target = self._target(batch, after)
        with autocast(self.device, self.config.precision):
            encoded, state = self._look(now, self.config.precision)
            action = self.policy.scaling.action(batch.action)
            q = self.policy.critic(encoded, state, action)
        critic_loss = ((q - target) ** 2).mean(1).sum()
        _step(self.critic_optimizer, critic_loss, self._critic_weights)
        encoded = encoded.detach()
        with autocast(self.device, self.config.precision):
            proposed = self._noisy(self.policy.actor(encoded, state))
            actor_loss = -self.policy.critic(encoded, state, proposed).amin(0).mean()
        # Of the actor alone: what the critics' weights could do about it is never computed.
        _step(self.actor_optimizer, actor_loss, self._actor_weights)
        polyak(self.target, self.policy.critic, 1 - self.config.tau)
        told = {
            "critic_loss": critic_loss,
            "actor_loss": actor_loss,
            "q": q.mean(),
            "q_target": target.mean(),
        }
        return dict(zip(told, torch.stack([*told.values()]).tolist(), strict=True))

    def mount(self, views: Sequence[View]) -> None:
        found = ", ".join(view.image for view in views)
        raise Invalid("views", found, "none: frames are looked at as they are", "leave it out")

    def slow_down(self, share: float) -> None:
        rate = share * self.config.learning_rate
        set_rate(rate, self.critic_optimizer, self.actor_optimizer)

    @torch.no_grad()
    def _target(self, batch: Batch, after: Observations) -> Tensor:
        with autocast(self.device, self.config.precision):
            encoded, state = self._look(after, self.config.precision)
            action = self._noisy(self.policy.actor(encoded, state))
            following: Tensor = self.target(encoded, state, action).amin(0)
        return batch.reward + batch.discount * following

    def _noisy(self, mean: Tensor) -> Tensor:
        """With the noise of the losses; gradients pass as if it were not bounded."""
        clip = self.config.stddev_clip
        noise = (self.stddev * torch.randn_like(mean)).clamp(-clip, clip)
        return mean + ((mean + noise).clamp(-1, 1) - mean).detach()

    # Keeping ------------------------------------------------------------------------------------

    def export(self) -> PolicyModule:
        return copy.deepcopy(self.policy).cpu().requires_grad_(False).eval()

    def state_dict(self) -> dict[str, Tensor]:
        return flatten(self._parts())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.steps = restore(self._parts(), state)["steps"]

    def _parts(self) -> Parts:
        return {
            "policy": self.policy,
            "target": self.target,
            "critic_optimizer": self.critic_optimizer,
            "actor_optimizer": self.actor_optimizer,
            "steps": self.steps,
        }


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, weights: list[nn.Parameter]) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward(inputs=weights)  # type: ignore[no-untyped-call]
    optimizer.step()

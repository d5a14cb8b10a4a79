"""QT-Opt: Q-learning for closed-loop grasping, in which the policy is a search over the critic.

    target = r + gamma^n min_i Q_i(s', argmax_a Q_1(s', a))

Q_1 is a Polyak average of the critic, Q_2 a copy that lags behind it; the search is the
cross-entropy method, and the loss a cross entropy between chances of success. A policy is Q_1 with
the search around it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from policy.cem import CemConfig, search
from policy.contract import Deployment, Interface, Strict
from policy.experience.replay.sampler import Batch, Draw
from policy.networks.critic import Critic, CriticConfig

from .learner import FloatArray, Metrics, Observations, PolicyModule
from .pixels import shifted, stacked
from .precision import Precision, autocast
from .state import Parts, flatten, restore, set_rate
from .targets import frozen_copy, polyak

Predict = Callable[[Tensor], Tensor]  # scaled actions (B, N, A) -> predictions (B, N, K)
RIVALS = 8  # actions at random that a tried one is held against, beside the search's choice


@dataclass(frozen=True)
class QTOptConfig(Strict):
    """Published values; the recipes in policy/conf say where they differ, and why."""

    critic: CriticConfig = field(default_factory=CriticConfig)
    cem: CemConfig = field(default_factory=CemConfig)
    discount: float = 0.9
    n_step: int = 1
    action_window: int = 2
    optimizer: Literal["momentum", "adam"] = "momentum"
    learning_rate: float = 1e-4
    weight_decay: float = 7e-5
    polyak: float = 0.9999
    lag: int = 6000  # updates
    double: bool = True  # the smaller of two targets; else Q_1's alone
    # CQL's weight: a tried action is raised against what the search prefers to it. What there is no
    # example of is rated by guess, and the search finds the best guess.
    conservatism: float = 0.0
    shift: int = 0  # px of random shift; the published crop of 472 from 512 x 640 is one, too
    # Exploration: how often a step is disturbed, by how much, and how often a switch is thrown.
    epsilon: float = 0.2
    noise: float = 0.5
    flip: float = 0.05
    precision: Precision = "fp32"


class QTOpt:
    def __init__(
        self,
        interface: Interface,
        config: QTOptConfig,
        device: torch.device | str = "cpu",
        deployment: Deployment | None = None,
    ) -> None:
        seen = replace(interface.observation, action_window=config.action_window)
        self.interface = replace(interface, observation=seen)
        self.config, self.device = config, torch.device(device)
        self.draw = Draw(
            n_step=config.n_step,
            discount=config.discount,
            window=config.action_window,
            truncation_ends=True,  # a grasp has to be done by then; else hovering is worth waiting
        )
        critic = Critic(self.interface, config.critic, deployment).to(self.device)
        self.critic = critic.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.target, self.lagged = frozen_copy(self.critic), frozen_copy(self.critic)
        weights = self.critic.parameters()
        self.optimizer: torch.optim.Optimizer
        if config.optimizer == "adam":
            self.optimizer = torch.optim.AdamW(
                weights, config.learning_rate, weight_decay=config.weight_decay, fused=True
            )
        else:
            self.optimizer = torch.optim.SGD(
                weights, config.learning_rate, momentum=0.9, weight_decay=config.weight_decay
            )
        self.updates = 0

    # Acting -------------------------------------------------------------------------------------

    @torch.no_grad()
    def act(self, seen: Observations, explore: bool) -> tuple[FloatArray, FloatArray]:
        seen = seen.to(self.device)
        # In full precision, as the exported policy does.
        scaled, value, _ = self._best(self.target, seen, stacked(seen.images))
        if explore:
            scaled = self._disturbed(scaled)
        action = self.critic.scaling.unscaled(scaled)
        return action.cpu().numpy(), value.cpu().numpy()

    def _best(
        self, critic: Critic, seen: Observations, images: Tensor
    ) -> tuple[Tensor, Tensor, Predict]:
        predict = critic.scorer(images, seen.proprio, seen.past_actions)
        action, value = self._search(critic, predict, len(seen))
        return action, value, predict

    def _search(self, critic: Critic, predict: Predict, states: int) -> tuple[Tensor, Tensor]:
        config, actions = self.config.cem, len(self.interface.action)
        shape = (states, config.iterations, config.samples, actions)
        noise = torch.randn(shape, device=self.device)
        ends = torch.ones(states, actions, device=self.device)
        return best(critic, predict, -ends, ends, noise, config)

    def _disturbed(self, scaled: Tensor) -> Tensor:
        config, switch = self.config, self.critic.scaling.switch
        moved = (scaled + config.noise * torch.randn_like(scaled)).clamp(-1, 1)
        thrown = torch.where(torch.rand_like(scaled) < config.flip, -scaled, scaled)
        some = torch.rand(len(scaled), 1, device=self.device) < config.epsilon
        return torch.where(some, torch.where(switch, thrown, moved), scaled)

    def state_dict(self) -> dict[str, Tensor]:
        return flatten(self._parts())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.updates = restore(self._parts(), state)["updates"]

    def _parts(self) -> Parts:
        return {
            "critic": self.critic,
            "target": self.target,
            "lagged": self.lagged,
            "optimizer": self.optimizer,
            "updates": self.updates,
        }

    def export(self) -> PolicyModule:
        policy = SearchPolicy(copy.deepcopy(self.target).cpu(), self.config.cem)
        return policy.requires_grad_(False).eval()

    # Learning -----------------------------------------------------------------------------------

    def update(self, batch: Batch) -> Metrics:
        batch = batch.to(self.device) if self.device.type != "cpu" else batch
        now, after = Observations.of(batch), Observations.after(batch)
        if self.config.shift:
            now, after = shifted(now, self.config.shift), shifted(after, self.config.shift)
        target, following = self._target(batch, after)
        tried = self.critic.scaling.action(batch.action)[:, None]
        with autocast(self.device, self.config.precision):
            predict = self.critic.scorer(stacked(now.images), now.proprio, now.past_actions)
        # Apart: what autocast casts without gradients, it would give out again with none.
        rivals = self._rivals(predict, len(tried))
        with autocast(self.device, self.config.precision):
            rated = predict(torch.cat([tried, rivals], dim=1))
        prediction = rated[:, 0]
        loss = self.critic.head.loss(prediction, target).mean()
        if self.config.conservatism:
            rank = self.critic.head.rank(rated)
            loss = loss + self.config.conservatism * (rank.logsumexp(1) - rank[:, 0]).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.updates += 1
        polyak(self.target, self.critic, self.config.polyak)
        if self.updates % self.config.lag == 0:
            polyak(self.lagged, self.target, 0.0)
        value = self.critic.head.value(prediction.detach())
        return {
            "loss": loss.item(),
            "q": value.mean().item(),
            "q_next": following.mean().item(),
            "q_of_success": _mean(value, batch.reward > 0),
        }

    def slow_down(self, share: float) -> None:
        set_rate(share * self.config.learning_rate, self.optimizer)

    @torch.no_grad()
    def _target(self, batch: Batch, after: Observations) -> tuple[Tensor, Tensor]:
        """What each row's prediction should have been, and the next states' values in it. Where an
        episode is over, no next state is looked at: with many steps at once, that is most rows."""
        goes_on = batch.discount.nonzero()[:, 0]
        after = after.rows(goes_on)
        images = stacked(after.images)
        with autocast(self.device, self.config.precision):
            action, value, predict = self._best(self.target, after, images)
            prediction = predict(action[:, None])[:, 0]
            if self.config.double:
                encoded = self.lagged.encode(images, after.proprio, after.past_actions)
                second = self.lagged(encoded, action[:, None])[:, 0]
                smaller = self.lagged.head.value(second) < value
                prediction = torch.where(smaller[:, None], second, prediction)
        head = self.target.head
        following = prediction.new_zeros(len(batch.discount), prediction.shape[1])
        following[goes_on] = prediction
        return head.target(batch.reward, batch.discount, following), head.value(prediction)

    @torch.no_grad()
    def _rivals(self, predict: Predict, states: int) -> Tensor:
        """What a tried action is held against: what the search would have chosen, and some of any
        kind. (B, 0, A) if there is no conservatism."""
        switch, cem = self.critic.scaling.switch, self.config.cem
        size = len(self.interface.action)
        if not self.config.conservatism:
            return torch.empty(states, 0, size, device=self.device)
        with autocast(self.device, self.config.precision):
            chosen, _ = self._search(self.critic, predict, states)
        uniform = torch.rand(states, RIVALS, size, device=self.device)
        thrown = torch.where(uniform < cem.chance, 1.0, -1.0)
        drawn = torch.where(switch, thrown, 2 * uniform - 1)
        return torch.cat([chosen[:, None], drawn], dim=1)


def best(
    critic: Critic, predict: Predict, low: Tensor, high: Tensor, noise: Tensor, cem: CemConfig
) -> tuple[Tensor, Tensor]:
    """The best scaled action between `low` and `high` by what `critic` predicts of B states, and
    what it is worth."""

    def score(sampled: Tensor) -> Tensor:
        return critic.head.value(predict(sampled))

    return search(score, noise, critic.scaling.switch, low, high, cem)


class SearchPolicy(PolicyModule):
    """The search around a critic, with nothing of Python between its iterations."""

    def __init__(self, critic: Critic, cem: CemConfig) -> None:
        super().__init__()
        self.critic, self.cem = critic, cem
        self.noise = (cem.iterations, cem.samples, len(critic.scaling.low))

    def forward(
        self,
        images: Tensor,
        proprio: Tensor,
        past_actions: Tensor,
        limits: Tensor,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        assert noise is not None
        scaling = self.critic.scaling
        low, high = scaling.action(limits).clamp(-1, 1).unbind(1)
        predict = self.critic.scorer(images, proprio, past_actions)
        action, value = best(self.critic, predict, low, high, noise, self.cem)
        # Within the limits to the last bit, whatever the scaling rounded.
        return scaling.unscaled(action).clamp(limits[:, 0], limits[:, 1]), value


def _mean(values: Tensor, mask: Tensor) -> float:
    return values[mask].mean().item() if mask.any() else float("nan")

"""QT-Opt: Q-learning for closed-loop grasping, in which the policy is a search over the critic.

    target = r + gamma^n min_i Q_i(s', argmax_a Q_1(s', a))

Q_1 is a Polyak average of the critic, Q_2 a copy that lags behind it; the search is the
cross-entropy method, and the loss a cross entropy between chances of success. A policy is Q_1 with
the search around it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from policy.cem import CemConfig, Score, search
from policy.contract import Deployment, Interface, Invalid, Strict, View
from policy.experience.replay.sampler import Batch, Draw
from policy.networks.acting import PolicyModule
from policy.networks.critic import Critic, CriticConfig, Predict

from .greedy import SearchPolicy, rated, score_of
from .learner import LOGGED, FloatArray, Metrics, Observations
from .pixels import shifted, stacked
from .precision import Precision, autocast
from .state import Parts, flatten, restore, set_rate
from .targets import frozen_copy, polyak

CROWD, RIVALS = 64, 4  # actions at random, and how many of them a logged one is held against


@dataclass(frozen=True)
class QTOptConfig(Strict):
    """Published: the search, gamma, the optimiser, its averages, epsilon. A critic for two cores,
    instead of `network: grasping44, norm: batch`. A recipe in policy/conf says where it differs."""

    critic: CriticConfig = field(default_factory=CriticConfig)
    cem: CemConfig = field(default_factory=CemConfig)  # while exploring; and unless told otherwise:
    target_cem: CemConfig | None = None  # in targets, that can do with less of a search
    policy_cem: CemConfig | None = None  # by the policy, that can afford more
    mirrored: bool = False  # the policy rates actions in a state's mirror image, too
    discount: float = 0.9
    n_step: int = 1
    action_window: int = 2
    optimizer: Literal["momentum", "adam"] = "momentum"
    learning_rate: float = 1e-4
    weight_decay: float = 7e-5
    polyak: float = 0.9999
    lag: int = 6000  # updates
    double: bool = True  # the smaller of two targets; else Q_1's alone
    # CQL's weight, in states of the log: what was done there is raised against what was not. What
    # there is no example of is rated by guess, and a search finds the best guess; in its own
    # episodes it tries it, and knows.
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
        if config.mirrored and self.critic.hand is None:
            found, wanted = config.critic.shown, "hand"
            raise Invalid("critic.shown", found, wanted, "or let `mirrored` be false")
        self._target_cem = config.target_cem or config.cem
        self._policy_cem = config.policy_cem or config.cem
        # Targets need another network than gradients do: a second core reckons them meanwhile.
        self._beside = ThreadPoolExecutor(1)

    # Acting -------------------------------------------------------------------------------------

    @torch.no_grad()
    def act(self, seen: Observations, explore: bool) -> tuple[FloatArray, FloatArray]:
        seen = seen.to(self.device)
        # In full precision, as the exported policy does.
        state = stacked(seen.images), seen.proprio, seen.past_actions
        score = score_of(self.target, *state, self.config.mirrored and not explore)
        cem = self.config.cem if explore else self._policy_cem
        scaled, value = self._search(score, self._noise(len(seen), cem), cem)
        if explore:
            scaled = self._disturbed(scaled)
        action = self.critic.scaling.unscaled(scaled)
        return action.cpu().numpy(), value.cpu().numpy()

    def _noise(self, states: int, cem: CemConfig) -> Tensor:
        shape = (states, cem.iterations, cem.samples, len(self.interface.action))
        return torch.randn(shape, device=self.device)

    def _search(self, score: Score, noise: Tensor, cem: CemConfig) -> tuple[Tensor, Tensor]:
        """Nothing is forbidden."""
        ends = noise.new_ones(len(noise), noise.shape[-1])
        return search(score, noise, self.target.scaling.switch, -ends, ends, cem)

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
        target = copy.deepcopy(self.target).cpu()
        policy = SearchPolicy(target, self._policy_cem, self.config.mirrored)
        return policy.requires_grad_(False).eval()

    # Learning -----------------------------------------------------------------------------------

    def update(self, batch: Batch) -> Metrics:
        batch = batch.to(self.device) if self.device.type != "cpu" else batch
        now, after = Observations.of(batch), Observations.after(batch)
        if self.config.shift:
            now, after = shifted(now, self.config.shift), shifted(after, self.config.shift)
        # All chance is drawn by one thread: two would not do so in the same order twice.
        noise = self._noise(len(after), self._target_cem)
        targets = self._beside.submit(self._target, batch, after, noise)
        tried = self.critic.scaling.action(batch.action)[:, None]
        with autocast(self.device, self.config.precision):
            predict = self.critic.scorer(stacked(now.images), now.proprio, now.past_actions)
            prediction = predict(tried)[:, 0]
        conservative = self._conservative(predict, prediction, batch.source)
        target, following = targets.result()
        loss = self.critic.head.loss(prediction, target).mean() + conservative
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

    def mount(self, views: Sequence[View]) -> None:
        seen = self.interface.observation.cameras
        if self.critic.hand is None or [view.image for view in views] != list(seen):
            found = ", ".join(view.image for view in views)
            wanted = f"the view of {', '.join(seen)}, of a critic that is shown the hand"
            raise Invalid("views", found, wanted, "leave it out")
        for network in (self.critic, self.target, self.lagged):
            assert network.hand is not None
            network.hand.mount(views[0])

    def slow_down(self, share: float) -> None:
        set_rate(share * self.config.learning_rate, self.optimizer)

    @torch.no_grad()
    def _target(self, batch: Batch, after: Observations, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What each row's prediction should have been, and the next states' values in it. Where an
        episode is over, no next state is looked at: with many steps at once, that is most rows."""
        goes_on = batch.discount.nonzero()[:, 0]
        after, noise = after.rows(goes_on), noise[goes_on]
        images = stacked(after.images)
        with autocast(self.device, self.config.precision):
            predict = self.target.scorer(images, after.proprio, after.past_actions)
            action, value = self._search(rated(self.target, predict), noise, self._target_cem)
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

    def _conservative(self, predict: Predict, prediction: Tensor, source: Tensor) -> Tensor:
        """How little a log's actions are preferred to the best of others and to some of any kind,
        in a softmax between them."""
        config, head, switch = self.config, self.critic.head, self.critic.scaling.switch
        logged = (source == LOGGED).nonzero()[:, 0]
        if not config.conservatism or not len(logged):
            return prediction.new_zeros(())
        uniform = torch.rand(len(logged), CROWD, len(switch), device=self.device)
        thrown = torch.where(uniform < config.cem.chance, 1.0, -1.0)
        drawn = torch.where(switch, thrown, 2 * uniform - 1)
        # Apart: what autocast casts without gradients, it would give out again with none.
        with torch.no_grad(), autocast(self.device, config.precision):
            order = head.rank(predict(drawn, logged)).topk(RIVALS, dim=1).indices
        highest = drawn.gather(1, order[..., None].expand(-1, -1, len(switch)))
        rivals = torch.cat([highest, drawn[:, :RIVALS]], dim=1)
        with autocast(self.device, config.precision):
            rated = head.rank(predict(rivals, logged))
        own = head.rank(prediction[logged])
        all_of_them = torch.cat([own[:, None], rated], dim=1).logsumexp(1)
        penalty: Tensor = config.conservatism * (all_of_them - own).sum() / len(prediction)
        return penalty


def _mean(values: Tensor, mask: Tensor) -> float:
    return values[mask].mean().item() if mask.any() else float("nan")

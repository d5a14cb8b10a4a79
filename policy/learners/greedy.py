"""The policy of a critic: the action that a search finds best in it."""

from __future__ import annotations

from torch import Tensor

from policy.cem import CemConfig, search
from policy.networks.acting import PolicyModule
from policy.networks.critic import Critic, Predict


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

"""The policy of a critic: the action that a search finds best in it."""

from __future__ import annotations

from torch import Tensor

from policy.cem import CemConfig, Score, search
from policy.networks.acting import PolicyModule
from policy.networks.critic import Critic, Predict


def rated(critic: Critic, predict: Predict) -> Score:
    """What actions are worth by what is predicted of them."""
    return lambda sampled: critic.head.value(predict(sampled))


def score_of(
    critic: Critic, images: Tensor, proprio: Tensor, past_actions: Tensor, mirrored: bool
) -> Score:
    """What `critic` thinks of actions in these states. `mirrored`: and in their mirror images, in
    the mean: what it errs about in one it often knows in the other."""
    states = images, proprio, past_actions
    if not mirrored:
        return rated(critic, critic.scorer(*states))
    one, other = (rated(critic, critic.scorer(*states, mirror=side)) for side in (1.0, -1.0))
    return lambda sampled: (one(sampled) + other(sampled)) / 2


class SearchPolicy(PolicyModule):
    """The search around a critic, with nothing of Python between its iterations."""

    def __init__(self, critic: Critic, cem: CemConfig, mirrored: bool) -> None:
        super().__init__()
        self.critic, self.cem, self.mirrored = critic, cem, mirrored
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
        score = score_of(self.critic, images, proprio, past_actions, self.mirrored)
        action, value = search(score, noise, scaling.switch, low, high, self.cem)
        # Within the limits to the last bit, whatever the scaling rounded.
        return scaling.unscaled(action).clamp(limits[:, 0], limits[:, 1]), value

"""What a critic says of an action: a chance of success, or a distribution of returns.

A head turns a critic's features into a prediction, a prediction into a value to rank by, and
reward, discount and the next prediction into a target and a loss. The learner knows no more of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from policy.contract import Strict

from .layers import dense

Kind = Literal["sigmoid", "hl_gauss", "q2r", "q2f"]
Risk = Literal["neutral", "wang", "pow", "cvar"]


@dataclass(frozen=True)
class HeadConfig(Strict):
    kind: Kind = "sigmoid"
    bins: int = 51  # hl_gauss
    low: float = 0.0  # hl_gauss: the least and the largest return
    high: float = 1.0
    quantiles: int = 100  # q2r: fixed midpoints
    samples: int = 32  # q2f: drawn anew each time
    cosines: int = 64  # q2f
    kappa: float = 0.002  # of the quantile Huber loss
    risk: Risk = "neutral"
    risk_level: float = 0.0


class Head(nn.Module):
    """`forward` maps features (..., F) to a prediction (..., K)."""

    def __call__(self, features: Tensor) -> Tensor:
        prediction: Tensor = super().__call__(features)
        return prediction

    def value(self, prediction: Tensor) -> Tensor:
        """(..., K) -> (...), to rank by."""
        raise NotImplementedError

    def rank(self, prediction: Tensor) -> Tensor:
        """(..., K) -> (...), to weigh actions against each other in a softmax."""
        return self.value(prediction)

    def target(self, reward: Tensor, discount: Tensor, following: Tensor) -> Tensor:
        """From the next state's prediction (B, K), in float32."""
        raise NotImplementedError

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Of each row (B,)."""
        raise NotImplementedError


class Sigmoid(Head):
    """QT-Opt's: the chance of success, learnt by cross entropy. Returns below 0 or above 1 cannot
    be said, and count as 0 and 1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.logit = nn.Linear(features, 1)
        nn.init.constant_(self.logit.bias, -2.0)  # at first, an action is likely to fail

    def forward(self, features: Tensor) -> Tensor:
        logit: Tensor = self.logit(features)
        return logit

    def value(self, prediction: Tensor) -> Tensor:
        return prediction.squeeze(-1).sigmoid()

    def rank(self, prediction: Tensor) -> Tensor:
        return prediction.squeeze(-1)  # chances near 0 or 1 differ by next to nothing

    def target(self, reward: Tensor, discount: Tensor, following: Tensor) -> Tensor:
        return (reward + discount * self.value(following)).clamp(0, 1)

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        logit = prediction.squeeze(-1)
        return F.binary_cross_entropy_with_logits(logit, target, reduction="none")


class HLGauss(Head):
    """A histogram of the return, learnt by cross entropy to a Gaussian around the target."""

    edges: Tensor
    centres: Tensor

    def __init__(self, features: int, config: HeadConfig) -> None:
        super().__init__()
        self.logits = nn.Linear(features, config.bins)
        edges = torch.linspace(config.low, config.high, config.bins + 1)
        self.register_buffer("edges", edges, persistent=False)
        self.register_buffer("centres", (edges[1:] + edges[:-1]) / 2, persistent=False)
        self._sigma = 0.75 * (config.high - config.low) / config.bins

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.logits(features)
        return logits

    def value(self, prediction: Tensor) -> Tensor:
        return prediction.softmax(-1) @ self.centres.to(prediction.dtype)

    def target(self, reward: Tensor, discount: Tensor, following: Tensor) -> Tensor:
        return reward + discount * self.value(following)

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        wanted = self.histogram(target)
        loss: Tensor = -(wanted * prediction.log_softmax(-1)).sum(-1)
        return loss

    def histogram(self, target: Tensor) -> Tensor:
        """The probability of each bin, of what lies within the edges."""
        inside = target.clamp(self.edges[0], self.edges[-1])
        reached: Tensor = torch.special.ndtr((self.edges - inside[..., None]) / self._sigma)
        return reached.diff(dim=-1) / (reached[..., -1:] - reached[..., :1])


class Quantiles(Head):
    """One quantile of the return from each of `count` equal parts of its distribution; a taste for
    risk weighs the parts when actions are ranked, and never touches what is learnt."""

    weights: Tensor

    def __init__(self, config: HeadConfig, count: int) -> None:
        super().__init__()
        self.config, self.count = config, count
        edges = torch.linspace(0, 1, count + 1)
        weights = undistorted(edges, config.risk, config.risk_level).diff()
        self.register_buffer("weights", weights, persistent=False)

    def value(self, prediction: Tensor) -> Tensor:
        return prediction[..., : self.count] @ self.weights.to(prediction.dtype)

    def target(self, reward: Tensor, discount: Tensor, following: Tensor) -> Tensor:
        return reward[:, None] + discount[:, None] * following[..., : self.count]


class Q2R(Quantiles):
    """At the parts' midpoints."""

    midpoints: Tensor

    def __init__(self, features: int, config: HeadConfig) -> None:
        super().__init__(config, config.quantiles)
        self.quantiles = nn.Linear(features, self.count)
        midpoints = (torch.arange(self.count) + 0.5) / self.count
        self.register_buffer("midpoints", midpoints, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        quantiles: Tensor = self.quantiles(features)
        return quantiles

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return quantile_huber(prediction, self.midpoints, target, self.config.kappa)


class Q2F(Quantiles):
    """At fractions drawn anew within each part; a prediction carries its fractions along. Without
    gradients they are the midpoints, so that acting needs no further noise."""

    def __init__(self, features: int, config: HeadConfig) -> None:
        super().__init__(config, config.samples)
        self.phi = nn.Sequential(nn.Linear(config.cosines, features), nn.ReLU())
        self.last = nn.Sequential(dense(features, features), nn.Linear(features, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(..., 2 K): the quantiles, and their fractions."""
        within = torch.full((*features.shape[:-1], self.count), 0.5, device=features.device)
        if torch.is_grad_enabled():
            within.uniform_()
        fractions = (torch.arange(self.count, device=features.device) + within) / self.count
        waves = math.pi * torch.arange(1, self.config.cosines + 1, device=features.device)
        embedded = self.phi(torch.cos(fractions[..., None] * waves).to(features.dtype))
        quantiles = self.last(features[..., None, :] * embedded).squeeze(-1)
        return torch.cat([quantiles, fractions.to(quantiles.dtype)], dim=-1)

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        quantiles, fractions = prediction.chunk(2, dim=-1)
        return quantile_huber(quantiles, fractions, target, self.config.kappa)


def make_head(features: int, config: HeadConfig) -> Head:
    if config.kind == "sigmoid":
        return Sigmoid(features)
    return {"hl_gauss": HLGauss, "q2r": Q2R, "q2f": Q2F}[config.kind](features, config)


def quantile_huber(quantiles: Tensor, fractions: Tensor, target: Tensor, kappa: float) -> Tensor:
    """(B, K) quantiles at `fractions` against (B, M) samples of the target: mean over the samples,
    sum over the quantiles."""
    error = target[:, None, :] - quantiles[:, :, None]
    size = error.abs()
    huber = torch.where(size <= kappa, 0.5 * error**2, kappa * (size - 0.5 * kappa)) / kappa
    weight = (fractions[..., None] - (error.detach() < 0).to(error.dtype)).abs()
    return (weight * huber).mean(-1).sum(-1)


def undistorted(fraction: Tensor, risk: Risk, level: float) -> Tensor:
    """How much of the attention lies below a fraction: the inverse of beta, which says where a
    taste for risk looks. A level below 0 (of cvar: below 1) is averse to it."""
    if risk == "wang":
        moved: Tensor = torch.special.ndtr(torch.special.ndtri(fraction) - level)
        return moved
    if risk == "cvar":
        return (fraction / level).clamp(max=1)
    if risk == "pow":
        power = 1 + abs(level)
        return fraction**power if level >= 0 else 1 - (1 - fraction) ** power
    return fraction

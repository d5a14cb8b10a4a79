"""RL-CycleGAN: a CycleGAN that leaves alone what actions are worth.

    L = CycleGAN's + scene sum of (q - q')^2 over the pairs of Qsim(x, a), Qcell(G(x), a),
        Qsim(F(G(x)), a), and over those of Qcell(y, a), Qsim(F(y), a), Qcell(G(F(y)), a)

Both Qs are QT-Opt's, learnt beside the translator by their own targets: each from its log, and from
the other one's, translated. Published: all six pictures teach, and translators and Qs are one loss;
its weights were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from policy.contract import Interface, Invalid, Strict
from policy.experience.replay.sampler import Batch
from policy.learners.precision import autocast
from policy.learners.qtopt import QTOpt, QTOptConfig

from .adversarial import Side
from .cyclegan import CycleConfig, CycleGan, Losses, Trip
from .data import levels, scaled
from .networks import NetworkConfig
from .translator import Metrics

Q_SIM, Q_CELL = "q_sim.", "q_cell."
Parts = Tensor | Mapping[str, Tensor]


@dataclass(frozen=True)
class SceneConfig(Strict):
    """The Qs are as policy's recipe has them for two cores; a few thousand updates are all they
    get."""

    scene: float = 10.0
    q: QTOptConfig = field(
        default_factory=lambda: QTOptConfig(
            optimizer="adam", learning_rate=5e-4, polyak=0.99, lag=200, n_step=5, discount=0.97
        )
    )

    def __post_init__(self) -> None:
        if self.q.critic.shown != "frame":
            found, remedy = self.q.critic.shown, "a translator paints the camera's own picture"
            raise Invalid("q.critic.shown", found, "frame", remedy)


class RLCycleGan(CycleGan):
    """`draw` is how it wants its transitions."""

    def __init__(
        self,
        networks: NetworkConfig,
        cycle: CycleConfig,
        config: SceneConfig,
        size: int,
        device: torch.device,
        interface: Interface,
    ) -> None:
        super().__init__(networks, cycle, size, device)
        self._weight = config.scene
        self.q_sim, self.q_cell = (QTOpt(interface, config.q, device) for _ in range(2))
        self.draw = self.q_sim.draw
        [self._camera] = interface.observation.cameras

    def play(self, sim: Batch, cell: Batch) -> Metrics:
        """One step, on what was done in both worlds."""
        x, y = (scaled(one.images[self._camera][:, 0]) for one in (sim, cell))
        told = self._step(x, y, partial(self._scene, sim, cell))
        learnt = {
            "q_sim": self.q_sim.update(_joined(sim, self._painted(cell, self.sim))),
            "q_cell": self.q_cell.update(_joined(cell, self._painted(sim, self.cell))),
        }
        return told | {
            f"{q}.{name}": of[name] for q, of in learnt.items() for name in ("loss", "q")
        }

    def _scene(self, sim: Batch, cell: Batch, of_sim: Trip, of_cell: Trip) -> Losses:
        apart = self._apart(sim, of_sim, self.q_sim, self.q_cell)
        apart = apart + self._apart(cell, of_cell, self.q_cell, self.q_sim)
        return {"scene_loss": self._weight * apart}

    @staticmethod
    def _apart(batch: Batch, trip: Trip, ours: QTOpt, theirs: QTOpt) -> Tensor:
        q = worth(ours, batch, trip.begun)
        there, back = worth(theirs, batch, trip.there), worth(ours, batch, trip.back)
        return F.mse_loss(there, q) + F.mse_loss(back, q) + F.mse_loss(there, back)

    def _painted(self, batch: Batch, side: Side) -> Batch:
        """What was done, as it would have looked on the other side."""
        now, after = (
            {self._camera: levels(side.translate(scaled(images[self._camera][:, 0])))[:, None]}
            for images in (batch.images, batch.next_images)
        )
        return replace(batch, images=now, next_images=after)

    def slow_down(self, share: float) -> None:
        super().slow_down(share)
        for q in (self.q_sim, self.q_cell):
            q.slow_down(share)

    def state_dict(self) -> dict[str, Tensor]:
        parts = {"": super().state_dict(), Q_SIM: self.q_sim.state_dict()}
        parts[Q_CELL] = self.q_cell.state_dict()
        return {prefix + name: value for prefix, of in parts.items() for name, value in of.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for prefix, q in ((Q_SIM, self.q_sim), (Q_CELL, self.q_cell)):
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            q.load_state_dict(own)
        super().load_state_dict(
            {k: v for k, v in state.items() if not k.startswith((Q_SIM, Q_CELL))}
        )


def worth(q: QTOpt, batch: Batch, pictures: Tensor) -> Tensor:
    """Of what was done in the batch's states, had they looked like `pictures` (B, 3, H, W). By the
    slow copy of the critic: it is not to be changed by what it is asked."""
    critic = q.target
    with autocast(q.device, q.config.precision):
        predict = critic.scorer((pictures + 1) / 2, batch.proprio, batch.past_actions)
        prediction = predict(critic.scaling.action(batch.action)[:, None])[:, 0]
    value: Tensor = critic.head.value(prediction.float())
    return value


def _joined(one: Batch, other: Batch) -> Batch:
    def together(a: Parts, b: Parts) -> Parts:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return torch.cat([a, b])
        assert isinstance(a, Mapping)
        assert isinstance(b, Mapping)
        return {name: torch.cat([a[name], b[name]]) for name in a}

    pairs = {
        part.name: (getattr(one, part.name), getattr(other, part.name)) for part in fields(one)
    }
    return Batch(**{name: together(*pair) for name, pair in pairs.items()})  # type: ignore[arg-type]

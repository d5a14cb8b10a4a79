"""What a policy thinks of the cell, against what it thinks of the simulator in the same states.

Nothing pairs the two logs; so for each state of the cell, that of the simulator is taken whose hand
is nearest to it, as far into an episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy.config import make_learner
from policy.contract import Deployment, Invalid
from policy.experience.episode import Episode
from policy.experience.log import open_index, read_episode
from policy.learners.learner import Observations
from policy.learners.pixels import stacked
from policy.learners.qtopt import QTOpt
from policy.offline import reduced
from policy.start import Start, read_start

from .features import Features

EPISODES, BATCH = 24, 32
STEP = 0.05  # of a state's range: what a step earlier or later counts
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Values of the best action, state by state: in the cell, and in the simulator's nearest."""

    cell: Values
    sim: Values
    apart: float  # the median distance of matched states, as a share of their range

    @property
    def mean(self) -> float:
        return float((self.cell - self.sim).mean())

    @property
    def correlation(self) -> float:
        return float(np.corrcoef(self.cell, self.sim)[0, 1])


@dataclass(frozen=True)
class Seen:
    """States of a log as a policy sees them, and where the hand was."""

    states: Observations
    places: Values


def critic_of(start: Start) -> QTOpt:
    learner = make_learner(replace(start.config, device="cpu"), start.deployment)
    if not isinstance(learner, QTOpt):
        raise Invalid("policy", start.config.learner, "qtopt", "its critic is asked")
    learner.load_state_dict(dict(start.tensors))
    return learner


class Opinion:
    """`start`: a run of policy.train, or a file of policy.start. Of QT-Opt alone."""

    def __init__(self, start: Path) -> None:
        begun = read_start(start)
        self._learner, self._deployment = critic_of(begun), begun.deployment
        self.name = f"the encoder of {begun.config.name}"
        self.cameras = tuple(begun.deployment.interface.observation.cameras)

    def seen(self, log: Path) -> Seen | None:
        """None where the log lacks what the policy looks at."""
        with open_index(log) as index:
            paths = [entry.path for entry in index][:EPISODES]
        episodes = [read_episode(path) for path in paths]
        if any(camera not in one.images for one in episodes for camera in self.cameras):
            return None
        return seen_by(self._deployment, [reduced(one, self._deployment) for one in episodes])

    @torch.inference_mode()
    def features(self, seen: Seen) -> Features:
        found = []
        for part in _parts(seen.states):
            state = stacked(part.images), part.proprio, part.past_actions
            (encoded, _), *_ = self._learner.target.encode(*state)
            found.append(encoded)
        return torch.cat(found).double().numpy()

    def drift(self, sim: Seen, cell: Seen) -> Drift:
        gaps = np.linalg.norm(cell.places[:, None] - sim.places[None], axis=2)
        nearest = torch.from_numpy(gaps.argmin(1))
        with torch.random.fork_rng():
            on_cell, on_sim = self._values(cell.states), self._values(sim.states.rows(nearest))
        return Drift(on_cell, on_sim, float(np.median(gaps.min(1))))

    def _values(self, states: Observations) -> Values:
        torch.manual_seed(0)  # the same chance for both
        found = [self._learner.act(part, explore=False)[1] for part in _parts(states)]
        return np.concatenate(found).astype(np.float64)


def seen_by(deployment: Deployment, episodes: Sequence[Episode]) -> Seen:
    spec = deployment.interface.observation
    low, high = (np.array([getattr(e, end) for e in spec.proprio]) for end in ("low", "high"))
    images: dict[str, list[Tensor]] = {name: [] for name in spec.cameras}
    proprio, past, places = [], [], []
    for episode in episodes:
        for name, parts in images.items():
            parts.append(torch.from_numpy(episode.images[name])[:, None])
        count = len(episode) + 1
        padded = np.concatenate([np.zeros_like(episode.executed[:1])] * spec.action_window)
        acted = np.concatenate([padded, episode.executed[1:]])
        past.append(np.stack([acted[k : k + spec.action_window] for k in range(count)]))
        proprio.append(episode.proprio)
        step = STEP * np.arange(count)[:, None]
        places.append(np.concatenate([(episode.proprio - low) / (high - low), step], axis=1))
    states = Observations(
        {name: torch.cat(parts) for name, parts in images.items()},
        torch.from_numpy(np.concatenate(proprio)),
        torch.from_numpy(np.concatenate(past)),
    )
    return Seen(states, np.concatenate(places))


def _parts(states: Observations) -> list[Observations]:
    rows = torch.arange(len(states))
    return [states.rows(rows[k : k + BATCH]) for k in range(0, len(rows), BATCH)]

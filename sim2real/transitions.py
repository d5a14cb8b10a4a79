"""What was done in the states that a domain's pictures show, and what came of it: batches as
learners know them, of the very pictures that a translator paints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from policy.contract import Invalid
from policy.experience.episode import told
from policy.experience.replay.sampler import Batch, Draw
from policy.experience.replay.windows import Ints, rows_ahead, until_handed_over, windows

from .data import Domain, Unpaired


class Transitions:
    """`draw` is how a learner wants them; one frame a state."""

    def __init__(self, domain: Domain, camera: str, draw: Draw) -> None:
        self._camera, self._settings, self._frames = camera, draw, domain.pictures
        logged = [one if told(one) or one.success is None else one.paid for one in domain.logged]
        self._length = np.array([len(one) for one in logged])
        self._start = np.cumsum(self._length + 1) - (self._length + 1)
        self._ends = np.array([one.terminated or draw.truncation_ends for one in logged])
        self._episode = np.repeat(np.arange(len(logged)), self._length + 1)
        self._proprio = np.concatenate([one.proprio for one in logged])
        self._executed = np.concatenate([one.executed for one in logged])
        self._reward = np.concatenate([one.reward for one in logged])
        self._driver = np.concatenate([one.driver for one in logged])

    @property
    def every(self) -> Ints:
        """The rows of all states that something was done in."""
        rows = np.arange(len(self._episode))
        found: Ints = rows[rows - self._start[self._episode] < self._length[self._episode]]
        return found

    def batch(self, rows: Sequence[int] | Ints) -> Batch:
        """Of pictures by their numbers. In a final one nothing was done: the one before it stands
        for it."""
        d, chosen = self._settings, np.asarray(rows)
        episode = self._episode[chosen]
        start, length = self._start[episode], self._length[episode]
        t = np.minimum(chosen - start, length - 1)
        most = until_handed_over(self._driver[rows_ahead(start, length, t, d.n_step)])
        w = windows(start, length, t, d.stack, d.n_step, d.window or 0, most)
        now, after = w.observed[:, -1], w.next_observed[:, -1]
        return Batch(
            images={self._camera: torch.from_numpy(self._frames[w.observed])},
            next_images={self._camera: torch.from_numpy(self._frames[w.next_observed])},
            proprio=_floats(self._proprio[now]),
            next_proprio=_floats(self._proprio[after]),
            past_actions=_floats(self._executed[w.past_actions]),
            next_past_actions=_floats(self._executed[w.next_past_actions]),
            action=_floats(self._executed[w.action]),
            reward=_floats(w.paid(self._reward[w.rewards], d.discount)),
            discount=_floats(w.onward(self._ends[episode], d.discount)),
            driver=torch.from_numpy(self._driver[w.action]),
            source=torch.zeros(len(chosen), dtype=torch.uint8),
        )


class Plays:
    """Transitions of both sides, from the same states."""

    def __init__(self, data: Unpaired, camera: str, draw: Draw) -> None:
        kinds = {
            (one.info.interface.action, one.info.interface.observation.proprio)
            for domain in (data.sim, data.cell)
            for one in domain.logged
        }
        if len(kinds) != 1:
            found, wanted = f"{len(kinds)} kinds of action and proprioception", "one"
            raise Invalid("logs", found, wanted, "give logs of one cell and its simulator")
        self._data = data
        self.sim, self.cell = (Transitions(one, camera, draw) for one in (data.sim, data.cell))

    def draw(self, batch: int) -> tuple[Batch, Batch]:
        sim, cell = self._data.rows(batch)
        return self.sim.batch(sim), self.cell.batch(cell)


def _floats(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))

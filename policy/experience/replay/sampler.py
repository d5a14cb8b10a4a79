"""Draw batches of n-step transitions from one or several rings, straight into torch tensors.

sampler = Sampler([Source(offline, 0.5), Source(online, 0.5, success_share=0.5)], Draw(stack=3))
batch = sampler.sample(256)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..episode import Driver
from ..errors import ExperienceError
from .ring import Ring
from .windows import Ints, rows_ahead, until_handed_over, windows


@dataclass(frozen=True)
class Draw:
    """What one transition looks like."""

    stack: int = 1  # frames an observation
    n_step: int = 1
    window: int | None = None  # past executed actions an observation; None: as the interface says
    discount: float = 0.99
    # Off: an episode that was cut short goes on in mind, from its final observation. On: what was
    # not reached in time is worth nothing, as where a task has to be done by then.
    truncation_ends: bool = False

    def __post_init__(self) -> None:
        for name, least in (("stack", 1), ("n_step", 1), ("window", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ExperienceError(f"{name}: found {value}, wanted {least} or more; raise it")


@dataclass(frozen=True)
class Source:
    """A ring, its share of each batch, and the share of successful episodes within that (None:
    as they come). The share of an empty source or stratum goes to the others. With `drivers`, only
    what they did is drawn, as part of its episode: what came before and after is seen. Sources of
    one `kind` are told apart by nobody who is given a batch; by default, each is its own."""

    ring: Ring
    share: float = 1.0
    success_share: float | None = None
    drivers: tuple[Driver, ...] | None = None
    kind: int | None = None

    def __post_init__(self) -> None:
        for name, most in (("share", math.inf), ("success_share", 1.0)):
            value = getattr(self, name)
            if value is not None and not (0 <= value <= most and value < math.inf):
                raise ExperienceError(f"{name}: found {value}, wanted 0 to {most}; correct it")


@dataclass(frozen=True)
class Batch:
    """B transitions, grouped by source and success: shuffle before you cut a batch into smaller
    ones. `discount` is gamma^m, m <= n being the steps to the next observation; it is
    zero where the task terminated there, and only there: a truncated episode bootstraps from its
    final observation."""

    images: Mapping[str, torch.Tensor]  # uint8 (B, stack, H, W, C)
    next_images: Mapping[str, torch.Tensor]
    proprio: torch.Tensor  # float32 (B, P)
    next_proprio: torch.Tensor
    past_actions: torch.Tensor  # float32 (B, window, A), oldest first
    next_past_actions: torch.Tensor
    action: torch.Tensor  # float32 (B, A)
    reward: torch.Tensor  # float32 (B,), discounted sum over the m steps
    discount: torch.Tensor  # float32 (B,)
    driver: torch.Tensor  # uint8 (B,), who drove `action`
    source: torch.Tensor  # uint8 (B,), the source's kind, or its index among the sampler's

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """A copy on `device`. With `non_blocking`, from pinned memory, this batch must not be
        filled again before the copy is done: see Prefetcher, which waits for that."""

        def move(value: Mapping[str, torch.Tensor] | torch.Tensor) -> object:
            if isinstance(value, torch.Tensor):
                return value.to(device, non_blocking=non_blocking)
            return {name: move(tensor) for name, tensor in value.items()}

        return Batch(**{f.name: move(getattr(self, f.name)) for f in fields(self)})  # type: ignore[arg-type]


@dataclass
class _Stratum:
    """Episodes to draw from, uniformly over their transitions, or over some of them: `only`, as
    numbers among all."""

    start: Ints
    length: Ints
    terminated: npt.NDArray[np.bool_]
    ordinal: Ints
    only: Ints | None = None
    cumulative: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.cumulative = np.cumsum(self.length)

    def __len__(self) -> int:
        """How many transitions may be drawn."""
        if self.only is not None:
            return len(self.only)
        return int(self.cumulative[-1]) if len(self.cumulative) else 0

    def draw(self, random: np.random.Generator, count: int) -> tuple[Ints, Ints]:
        """Which episode, and which of its observations."""
        drawn = random.integers(0, len(self), count)
        return self.place(drawn if self.only is None else self.only[drawn])

    def place(self, chosen: Ints) -> tuple[Ints, Ints]:
        episode = np.searchsorted(self.cumulative, chosen, side="right")
        t: Ints = chosen - (self.cumulative[episode] - self.length[episode])
        return episode, t

    def driven_by(self, drivers: Sequence[Driver], ring: Ring) -> _Stratum:
        """What is left of it if only their actions count."""
        every = np.arange(len(self))
        episode, t = self.place(every)
        driver = ring.rows["driver"][(self.start[episode] + t + 1) % ring.capacity]
        return replace(self, only=every[np.isin(driver, drivers)])


class Sampler:
    def __init__(
        self, sources: Sequence[Source], draw: Draw | None = None, seed: int = 0, pin: bool = False
    ) -> None:
        if sum(source.share for source in sources) <= 0:
            found = [source.share for source in sources]
            raise ExperienceError(f"shares: found {found}, wanted some above 0; set them")
        first = sources[0].ring.interface
        if any(source.ring.interface != first for source in sources):
            raise ExperienceError(
                "sources: found rings of different interfaces, wanted one; convert them"
            )
        self.sources, self.settings = tuple(sources), draw or Draw()
        window = self.settings.window
        self._window = first.observation.action_window if window is None else window
        self.interface = first
        self._seed, self._pin = seed, pin
        # How many batches were drawn: each one's random numbers follow from this and the seed, so
        # that a run which is continued sees what it would have seen.
        self.drawn = 0
        self._random = np.random.default_rng(seed)
        self._strata: dict[int, tuple[tuple[int, int, int], list[_Stratum]]] = {}

    def reshare(self, shares: Sequence[float]) -> None:
        """Other shares of the same sources, from the next batch on."""
        pairs = zip(self.sources, shares, strict=True)
        self.sources = tuple(replace(source, share=share) for source, share in pairs)

    def allocate(self, size: int) -> Batch:
        """An empty batch, to be filled again and again by `sample(size, out=batch)`."""
        d, spec = self.settings, self.interface.observation
        actions = len(self.interface.action)

        def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
            return torch.empty((size, *shape), dtype=dtype, pin_memory=self._pin)

        def stacks() -> dict[str, torch.Tensor]:
            return {i.name: empty(d.stack, *i.shape, dtype=torch.uint8) for i in spec.images}

        return Batch(
            images=stacks(),
            next_images=stacks(),
            proprio=empty(len(spec.proprio)),
            next_proprio=empty(len(spec.proprio)),
            past_actions=empty(self._window, actions),
            next_past_actions=empty(self._window, actions),
            action=empty(actions),
            reward=empty(),
            discount=empty(),
            driver=empty(dtype=torch.uint8),
            source=empty(dtype=torch.uint8),
        )

    def sample(self, size: int, out: Batch | None = None) -> Batch:
        """Fill and return `out`, or a new batch. Frames are copied once, from the mapping into
        the tensors."""
        batch = out or self.allocate(size)
        if len(batch.reward) != size:
            raise ExperienceError(
                f"out: found {len(batch.reward)} rows, wanted {size}; allocate anew"
            )
        self._random = np.random.default_rng([self._seed, self.drawn])
        self.drawn += 1
        strata = [self._refresh(k) for k in range(len(self.sources))]
        shares = [s.share if held else 0.0 for s, held in zip(self.sources, strata, strict=True)]
        if sum(shares) <= 0:
            raise self._nothing()
        begin = 0
        for k, count in enumerate(apportion(shares, size, self._random)):
            share = self.sources[k].success_share
            split = [1.0] if share is None or len(strata[k]) < 2 else [share, 1.0 - share]
            for which, part in enumerate(apportion(split, count, self._random)):
                if part:
                    self._fill(batch, slice(begin, begin + part), k, which)
                    begin += part
        return batch

    def _refresh(self, k: int) -> list[_Stratum]:
        """The source's strata as the writer last left them: all, or successes and the rest."""
        ring, share = self.sources[k].ring, self.sources[k].success_share
        state = ring.state
        if k not in self._strata or self._strata[k][0] != state:
            first, table = ring.episodes()
            ordinal = np.arange(first, first + len(table))
            success = table["success"] == 1
            masks = [np.ones_like(success)] if share is None else [success, ~success]
            strata = [
                _Stratum(
                    table["start"][mask],
                    table["length"][mask].astype(np.int64),
                    table["terminated"][mask].astype(bool),
                    ordinal[mask],
                )
                for mask in masks
            ]
            if (drivers := self.sources[k].drivers) is not None:
                strata = [stratum.driven_by(drivers, ring) for stratum in strata]
            self._strata[k] = state, [stratum for stratum in strata if len(stratum)]
        return self._strata[k][1]

    def _fill(self, batch: Batch, where: slice, k: int, which: int) -> None:
        """Draw and copy; rows that the writer overwrote meanwhile are drawn again."""
        ring, strata = self.sources[k].ring, self._refresh(k)
        if not strata:
            raise self._nothing()
        stratum = strata[min(which, len(strata) - 1)]
        episode, t = stratum.draw(self._random, where.stop - where.start)
        self._copy(batch, where, ring, stratum, episode, t)
        kind = self.sources[k].kind
        batch.source[where] = k if kind is None else kind
        for row in np.flatnonzero(stratum.ordinal[episode] < ring.evicted):
            at = where.start + int(row)
            self._fill(batch, slice(at, at + 1), k, which)

    def _copy(
        self, batch: Batch, where: slice, ring: Ring, stratum: _Stratum, episode: Ints, t: Ints
    ) -> None:
        d = self.settings
        start, length = stratum.start[episode], stratum.length[episode]
        most = None
        if d.n_step > 1:
            following = rows_ahead(start, length, t, d.n_step) % ring.capacity
            most = until_handed_over(ring.rows["driver"][following])
        w = windows(start, length, t, d.stack, d.n_step, self._window, most)
        for name, frames in ring.frames.items():
            for target, chosen in (
                (batch.images, w.observed),
                (batch.next_images, w.next_observed),
            ):
                _gather(frames, chosen, target[name][where].numpy())
        # All rows of a transition at once: they lie side by side, far from the next one's.
        parts = (
            *(w.observed[:, -1:], w.next_observed[:, -1:], w.past_actions, w.next_past_actions),
            *(w.action[:, None], w.rewards),
        )
        rows = ring.rows.take(np.concatenate(parts, axis=1) % ring.capacity)
        now, later, past, next_past, act, ahead = np.split(
            rows, np.cumsum([part.shape[1] for part in parts])[:-1], axis=1
        )

        def put(target: torch.Tensor, values: npt.NDArray[Any]) -> None:
            target[where].numpy()[...] = values

        put(batch.proprio, now["proprio"][:, 0])
        put(batch.next_proprio, later["proprio"][:, 0])
        put(batch.past_actions, past["action"])
        put(batch.next_past_actions, next_past["action"])
        put(batch.action, act["action"][:, 0])
        put(batch.driver, act["driver"][:, 0])
        put(batch.reward, w.paid(ahead["reward"], d.discount))
        ends = stratum.terminated[episode] | d.truncation_ends
        put(batch.discount, w.onward(ends, d.discount))

    def _nothing(self) -> ExperienceError:
        paths = ", ".join(str(source.ring.path) for source in self.sources)
        return ExperienceError(
            f"{paths}: found no transition to draw, wanted one; add episodes, and give the ring "
            "room for many of them"
        )


def apportion(shares: Sequence[float], total: int, random: np.random.Generator) -> list[int]:
    """Whole numbers that add up to `total`, each with expectation total x share exactly: a share
    of 1 % of a batch of 32 is one row in every third batch."""
    edges = np.cumsum([0.0, *shares]) / sum(shares) * total
    edges[-1] = total
    cuts = np.floor(edges + random.random())
    cuts[0], cuts[-1] = 0, total
    return [int(n) for n in np.diff(cuts)]


def _gather(frames: npt.NDArray[np.uint8], chosen: Ints, target: npt.NDArray[np.uint8]) -> None:
    """Copy frames by sequence number. mode="clip" changes no index here; it lets numpy write
    into `target` without a buffer. The interpreter lock is released meanwhile."""
    np.take(frames, chosen % len(frames), axis=0, out=target, mode="clip")

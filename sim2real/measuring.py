"""What lies between two logs: pictures, a policy's values and timing, of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policy.contract import Invalid
from policy.statistics import Rate

from .classifier import Telling, saliency, tell_apart
from .config import names_of, translator_of
from .critic import Drift, Opinion
from .data import Pictures
from .distances import Distance, distance, scale_of
from .features import Features, random_convolutions
from .patches import Numbers, statistics
from .rcan import Rcan
from .reading import Split, read_domain
from .residual import Residual, residual
from .timing import Timing
from .translator import Translator, painted

SHOWN = 8


@dataclass(frozen=True)
class Way:
    """To close the gap: what one would learn from, and what one would then be shown in the cell."""

    learnt: Split
    shown: Split
    painted: Split  # to look at: of both, what this way makes


@dataclass(frozen=True)
class Candidate:
    name: str
    pictures: Pictures  # some, to look at
    distance: Distance
    told_apart: Rate
    # Of what is learnt from, and of what is shown.
    statistics: Mapping[str, tuple[Numbers, Numbers]]


@dataclass(frozen=True)
class Thoughts:
    """Of a policy: how far its encoder has the logs apart, and how its values drift."""

    name: str
    distance: Distance
    drift: Drift


@dataclass(frozen=True)
class Gap:
    """The first candidate is the simulator as it is. `floor` is the cell against itself: what no
    candidate can be expected to undercut. `salient` are pictures of the first candidate and of the
    cell, and where the classifier looked."""

    candidates: tuple[Candidate, ...]
    floor: Distance
    cell: Pictures
    salient: tuple[Pictures, Numbers]
    counts: Mapping[str, int]  # pictures compared
    timings: Mapping[str, Timing]
    thoughts: Thoughts | None
    residual: Residual | None


def measure(
    sim: Path,
    cell: Path,
    camera: str,
    size: int,
    others: Sequence[Path] = (),
    translators: Sequence[Path] = (),
    policy: Path | None = None,
    replayed: Path | None = None,
) -> Gap:
    ours, theirs = read_domain("sim", sim, camera, size), read_domain("cell", cell, camera, size)
    us, them, *named = names_of([sim, cell, *others, *translators])
    ways = {us: Way(ours, theirs, ours)}
    for log, name in zip(others, named, strict=False):
        other = read_domain(name, log, camera, size)
        ways[name] = Way(other, theirs, other)
    for run, name in zip(translators, named[len(others) :], strict=True):
        config, translator = translator_of(run, camera, size)
        which = f"{name} ({config.translator})"
        if isinstance(translator, Rcan):  # it paints what a policy is shown
            made = _repainted(theirs, translator)
            ways[f"{us}, and {them} by {which}"] = Way(ours, made, made)
        else:
            made = _repainted(ours, translator)
            ways[f"{us}, {which}"] = Way(made, theirs, made)
    wanted = random_convolutions(theirs.held_out.pictures)
    scale = scale_of(random_convolutions(ours.held_out.pictures), wanted)
    telling = {name: _told_apart(way) for name, way in ways.items()}
    both_sides = [one.held_out.some(SHOWN // 2) for one in (ours, theirs)]
    salient = np.concatenate(both_sides)
    return Gap(
        tuple(_candidate(name, way, scale, telling[name].rate) for name, way in ways.items()),
        distance(random_convolutions(theirs.train.pictures), wanted, scale),
        theirs.held_out.some(SHOWN),
        (salient, saliency(telling[us].network, salient).double().numpy()),
        {us: len(ours.held_out), them: len(theirs.held_out)},
        {us: Timing.of(sim), them: Timing.of(cell)},
        _thoughts(policy, sim, cell) if policy else None,
        residual(cell, replayed) if replayed else None,
    )


def _repainted(split: Split, translator: Translator) -> Split:
    halves = (
        replace(one, pictures=painted(translator, one.pictures))
        for one in (split.train, split.held_out)
    )
    return Split(*halves)


def _told_apart(way: Way) -> Telling:
    learnt, shown = way.learnt, way.shown
    return tell_apart(learnt.train, shown.train, learnt.held_out, shown.held_out)


def _candidate(name: str, way: Way, scale: Features, rate: Rate) -> Candidate:
    learnt, shown = way.learnt.held_out.pictures, way.shown.held_out.pictures
    found, wanted = statistics(learnt), statistics(shown)
    return Candidate(
        name,
        way.painted.held_out.some(SHOWN),
        distance(random_convolutions(learnt), random_convolutions(shown), scale),
        rate,
        {which: (found[which], wanted[which]) for which in found},
    )


def _thoughts(policy: Path, sim: Path, cell: Path) -> Thoughts:
    opinion = Opinion(policy)
    seen = [opinion.seen(log) for log in (sim, cell)]
    if seen[0] is None or seen[1] is None:
        lacking = (cell if seen[0] else sim).name
        found, wanted = f"no {', '.join(opinion.cameras)}", "what the policy looks at"
        raise Invalid(f"log {lacking}", found, wanted, "collect with it, or leave --policy out")
    ours, theirs = (opinion.features(one) for one in (seen[0], seen[1]))
    apart = distance(ours, theirs, scale_of(ours, theirs))
    return Thoughts(opinion.name, apart, opinion.drift(seen[0], seen[1]))

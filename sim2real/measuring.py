"""What lies between two logs: pictures, a policy's values and timing, of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policy.contract import Invalid
from policy.statistics import Rate

from .classifier import saliency, tell_apart
from .config import read_translator
from .critic import Drift, Opinion
from .data import Pictures, Split, read_domain
from .distances import Distance, distance, scale_of
from .features import random_convolutions
from .patches import Numbers, statistics
from .residual import Residual, residual
from .timing import Timing
from .translator import painted

SHOWN = 8


@dataclass(frozen=True)
class Candidate:
    """What is held against the cell."""

    name: str
    pictures: Pictures  # some, to look at
    distance: Distance
    told_apart: Rate
    statistics: Mapping[str, Numbers]


@dataclass(frozen=True)
class Thoughts:
    """Of a policy: how far its encoder has the logs apart, and how its values drift."""

    name: str
    distance: Distance
    drift: Drift


@dataclass(frozen=True)
class Gap:
    """`floor` is the cell against itself: what no candidate can be expected to undercut. `salient`
    are pictures of the first candidate and of the cell, and where the classifier looked."""

    candidates: tuple[Candidate, ...]
    floor: Distance
    cell: Pictures
    statistics: Mapping[str, Numbers]
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
    held = {sim.name: ours}
    for log in others:
        held[log.name] = read_domain(log.name, log, camera, size)
    for run in translators:
        config, translator = read_translator(run)
        if (config.camera, config.size) != (camera, size):
            found = f"{config.camera} at {config.size} px"
            asked = f"{camera} at {size} px"
            raise Invalid(f"translator {run.name}", found, asked, "name --camera and --size so")
        if config.translator == "rcan":
            remedy = "leave it out: it changes the cell's pictures, too, and what is between both"
            raise Invalid(f"translator {run.name}", "rcan", "one that paints the cell", remedy)
        both = (
            replace(one, pictures=painted(translator, one.pictures, config.device))
            for one in (ours.train, ours.held_out)
        )
        held[f"{sim.name}, {run.name} ({config.translator})"] = Split(*both)
    wanted = random_convolutions(theirs.held_out.pictures)
    scale = scale_of(random_convolutions(ours.held_out.pictures), wanted)
    candidates, salient = [], None
    for name, split in held.items():
        telling = tell_apart(split.train, theirs.train, split.held_out, theirs.held_out)
        if salient is None:
            both_sides = [split.held_out.some(SHOWN // 2), theirs.held_out.some(SHOWN // 2)]
            shown = np.concatenate(both_sides)
            salient = shown, saliency(telling.network, shown).double().numpy()
        features = random_convolutions(split.held_out.pictures)
        candidates.append(
            Candidate(
                name,
                split.held_out.some(SHOWN),
                distance(features, wanted, scale),
                telling.rate,
                statistics(split.held_out.pictures),
            )
        )
    assert salient is not None  # the first candidate is the simulator itself
    return Gap(
        tuple(candidates),
        distance(random_convolutions(theirs.train.pictures), wanted, scale),
        theirs.held_out.some(SHOWN),
        statistics(theirs.held_out.pictures),
        salient,
        {sim.name: len(ours.held_out), cell.name: len(theirs.held_out)},
        {log.name: Timing.of(log) for log in (sim, cell)},
        _thoughts(policy, sim, cell) if policy else None,
        residual(cell, replayed) if replayed else None,
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

"""The gap as one page: gap.md, and its pictures beside it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from policy.contract.files import write_atomic
from policy.experience.pictures import captioned, stacked, write_picture

from .data import Pictures
from .distances import Distance
from .features import RANDOM
from .grids import row
from .measuring import Gap, Thoughts
from .patches import Numbers
from .residual import Residual
from .timing import PERCENTS, percentiles

PICTURES, SALIENCY = "pictures.png", "saliency.png"


def write_page(gap: Gap, sim: str, cell: str, camera: str, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    rows = [(one.name, one.pictures) for one in gap.candidates]
    shown = [captioned(row(pictures), name) for name, pictures in [*rows, (cell, gap.cell)]]
    write_picture(directory / PICTURES, stacked(shown))
    write_picture(directory / SALIENCY, _hot(*gap.salient))
    counts = ", ".join(f"{count} of {name}" for name, count in gap.counts.items())
    lines = [
        f"# The gap between {sim} and {cell}",
        "",
        f"Camera {camera}; held-out episodes: pictures {counts}.",
        "",
        f"![held-out pictures]({PICTURES})",
        "",
        "## What comes nearest",
        "",
        f"Features: {RANDOM}, fixed; the numbers hold beside each other alone. KID is unbiased;",
        "FID grows where pictures are few. *Told apart*: by a small network, half of the time",
        "where there is no gap; the interval takes pictures for independent, which those of one",
        "episode are not.",
        "",
        "| | KID | FID | told apart (95 %) |",
        "|---|---|---|---|",
        *(
            f"| {one.name} | {_distance(one.distance)} | {one.told_apart} |"
            for one in sorted(gap.candidates, key=lambda one: one.distance.kid)
        ),
        f"| {cell}, other episodes | {_distance(gap.floor)} | |",
        "",
        "## In which way",
        "",
        f"Means over pictures, and how far they are from {cell}'s in its standard deviations.",
        "",
        *_statistics(gap, cell),
        "",
        f"![where a classifier looks]({SALIENCY})",
        "",
        f"Where the classifier looked: {sim} on the left, {cell} on the right.",
        "",
        *(_thoughts(gap.thoughts, sim, cell) if gap.thoughts else []),
        *(_moves(gap.residual, cell) if gap.residual else []),
        "## How late",
        "",
        *_timings(gap),
    ]
    path = directory / "gap.md"
    write_atomic(path, ("\n".join(lines) + "\n").encode())
    return path


def _distance(found: Distance) -> str:
    return f"{found.kid:.3g} | {found.fid:.3g}"


def _statistics(gap: Gap, cell: str) -> list[str]:
    names = [one.name for one in gap.candidates]
    lines = [f"| | {cell} | {' | '.join(names)} |", "|" + "---|" * (len(names) + 2)]
    for name, (_, wanted) in gap.candidates[0].statistics.items():
        told = [_apart(*one.statistics[name]) for one in gap.candidates]
        lines.append(f"| {name} | {wanted.mean():.1f} | {' | '.join(told)} |")
    return lines


def _apart(found: Numbers, wanted: Numbers) -> str:
    by = (found.mean() - wanted.mean()) / max(float(wanted.std()), 1e-9)
    return f"{found.mean():.1f} ({by:+.1f})"


def _thoughts(thoughts: Thoughts, sim: str, cell: str) -> list[str]:
    drift = thoughts.drift
    return [
        "## What the policy thinks",
        "",
        f"Of {len(drift.cell)} states of {cell}, and of those of {sim} whose hand is nearest",
        f"(median distance {drift.apart:.2f} of the hand's range), the best action is worth",
        f"{drift.cell.mean():.2f} and {drift.sim.mean():.2f}: a drift of {drift.mean:+.2f}, at a",
        f"correlation of {drift.correlation:.2f}. The bins are different ones: it would not",
        f"be 1 without any gap. Features of {thoughts.name}: KID {thoughts.distance.kid:.3g}, FID",
        f"{thoughts.distance.fid:.3g}.",
        "",
    ]


def _moves(found: Residual, cell: str) -> list[str]:
    heads = " | ".join(f"p{percent}" for percent in PERCENTS)
    rows = (
        ("TCP apart, mm", found.apart),
        ("yaw apart, degrees", found.turned),
        (f"moved by {cell} in a step, mm", found.moved),
    )
    return [
        "## How it moves",
        "",
        f"What {cell} did, done again in the simulator over an empty bin: {len(found.apart)} steps",
        "where both hands were above what lies there, each from its episode's beginning on.",
        "",
        f"| | {heads} |",
        "|" + "---|" * (len(PERCENTS) + 1),
        *(
            f"| {name} | " + " | ".join(f"{value:.1f}" for value in percentiles(values)) + " |"
            for name, values in rows
        ),
        "",
    ]


def _timings(gap: Gap) -> list[str]:
    heads = " | ".join(f"p{percent}" for percent in PERCENTS)
    lines = [f"| ms | | {heads} |", "|" + "---|" * (len(PERCENTS) + 2)]
    for log, timing in gap.timings.items():
        for name, values in (("age of what is seen", timing.age), ("period", timing.period)):
            told = " | ".join(f"{value:.0f}" for value in percentiles(values))
            lines.append(f"| {name} | {log} | {told} |")
    return lines


def _hot(pictures: Pictures, heat: Numbers) -> Pictures:
    """What counts, in red over grey."""
    levels = (255 * heat).astype(np.uint8)
    hot = [cv2.applyColorMap(one, cv2.COLORMAP_INFERNO)[..., ::-1] for one in levels]
    return stacked([row(pictures), row(np.stack(hot).astype(np.uint8))])

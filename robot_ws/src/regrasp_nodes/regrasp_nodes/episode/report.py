"""What a log of episodes tells of how it went: a page with curves, tables and pictures.

    python -m regrasp_nodes.episode.report runs/log --out runs/report

All of it is read from the log, so that it can be made again at any time.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract.files import write_atomic
from policy.experience.episode import Episode
from policy.experience.log.index import Entry, open_index
from policy.experience.log.reader import read_episode
from policy.experience.sheet import contact_sheet
from policy.statistics import Rate

ENDS = 5  # of how many parts the first and the last are compared
SMOOTH = 20  # episodes that a point of the curve is of
SHEETS = 3


@dataclass(frozen=True)
class Played:
    """Of all episodes: what each step took, and who drove."""

    glass_to_action: npt.NDArray[np.float64]  # s, from exposure to command
    period: npt.NDArray[np.float64]  # s, between two commands
    human: int
    steps: int

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> Played:
        ages = [(e.execution_ns[1:] - e.capture_ns[:-1]) * 1e-9 for e in episodes]
        periods = [np.diff(e.execution_ns[1:]) * 1e-9 for e in episodes]
        human = sum(int(np.isfinite(e.human[1:]).all(axis=1).sum()) for e in episodes)
        return cls(_joined(ages), _joined(periods), human, sum(map(len, episodes)))


def report(log: Path, out: Path) -> str:
    """Writes report.md, curves.png and contact sheets; returns the page."""
    with open_index(log) as index:
        entries = [entry for entry in index if entry.steps]
    episodes = [read_episode(entry.path) for entry in entries]
    out.mkdir(parents=True, exist_ok=True)
    played, page = Played.of(episodes), ["# Episodes", ""]
    judged = [entry.success for entry in entries if entry.success is not None]
    page += [f"- {len(entries)} episodes, {played.steps} actions, {played.human} by a person"]
    if judged:
        part = max(len(judged) // ENDS, 1)
        first, last = (Rate(sum(some), len(some)) for some in (judged[:part], judged[-part:]))
        page += [
            f"- Success: {Rate(sum(judged), len(judged))}",
            f"- The first {part}: {first}; the last {part}: {last}",
        ]
    page += [f"- Left without a verdict: {len(entries) - len(judged)}", ""]
    page += _timing(played) + _judges(entries)
    _draw(entries, played, out / "curves.png")
    page += ["![success, age of what was acted upon, control period](curves.png)", ""]
    chosen = np.unique(np.linspace(0, len(episodes) - 1, SHEETS).round().astype(int))
    for k in chosen if episodes else []:
        name = f"{entries[k].episode_id}.jpg"
        sheet = contact_sheet(episodes[k])
        write_atomic(out / name, cv2.imencode(".jpg", sheet[..., ::-1])[1].tobytes())
        page += [f"![{name}]({name})", ""]
    text = "\n".join(page)
    write_atomic(out / "report.md", text.encode())
    write_atomic(out / "report.json", json.dumps(_figures(entries, played)).encode())
    return text


def _timing(played: Played) -> list[str]:
    if not len(played.period):
        return []
    ages, periods = _quantiles(played.glass_to_action), _quantiles(played.period)
    return [
        "| ms | p50 | p99 |",
        "|---|---|---|",
        f"| from exposure to command | {ages['p50']:.1f} | {ages['p99']:.1f} |",
        f"| between two commands | {periods['p50']:.1f} | {periods['p99']:.1f} |",
        "",
    ]


def _judges(entries: Sequence[Entry]) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for entry in entries:
        for verdict in entry.verdicts:
            said = "abstained" if verdict.abstained else "success" if verdict.success else "failure"
            counts.setdefault(verdict.detector, Counter())[said] += 1
    rows = [
        f"| {name} | {found['success']} | {found['failure']} | {found['abstained']} |"
        for name, found in sorted(counts.items())
    ]
    return ["| judge | success | failure | abstained |", "|---|---|---|---|", *rows, ""]


def _figures(entries: Sequence[Entry], played: Played) -> dict[str, object]:
    return {
        "success": [entry.success for entry in entries],
        "policy_version": [entry.policy_version for entry in entries],
        "human_steps": [entry.human_steps for entry in entries],
        "glass_to_action_ms": _quantiles(played.glass_to_action),
        "period_ms": _quantiles(played.period),
    }


def _quantiles(seconds: npt.NDArray[np.float64]) -> dict[str, float]:
    if not len(seconds):
        return {}
    found = np.quantile(seconds, [0.5, 0.9, 0.99]) * 1e3
    return dict(zip(("p50", "p90", "p99"), found.round(2).tolist(), strict=True))


def _draw(entries: Sequence[Entry], played: Played, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), constrained_layout=True)
    judged = [float(entry.success) for entry in entries if entry.success is not None]
    if judged:
        size = min(SMOOTH, -(-len(judged) // 4))
        smooth = np.convolve(judged, np.ones(size) / size, "valid")
        axes[0].plot(np.arange(len(smooth)) + size, smooth, label=f"mean of {size}")
        axes[0].plot(np.arange(len(judged)) + 1, judged, ".", alpha=0.3)
        axes[0].legend(loc="lower right")
    axes[0].set(xlabel="episode", ylabel="success", ylim=(-0.05, 1.05))
    axes[1].hist(1e3 * played.glass_to_action, bins=60)
    axes[1].set(xlabel="ms from exposure to command", ylabel="actions")
    axes[2].hist(1e3 * played.period, bins=60)
    axes[2].set(xlabel="ms between two commands", ylabel="actions")
    for axis in axes:
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _joined(parts: Sequence[npt.NDArray[np.floating[Any]]]) -> npt.NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *parts])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m regrasp_nodes.episode.report", description=__doc__
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    choice = parser.parse_args(argv)
    print(report(choice.log, choice.out))


if __name__ == "__main__":
    main()

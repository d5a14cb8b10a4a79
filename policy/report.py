"""A run in pictures and words: report.md and curves.png."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from policy.config import plain
from policy.contract.files import write_atomic
from policy.evaluate import Evaluation
from policy.progress import Progress
from policy.run import Run
from policy.statistics import Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from policy.export import Parity

Line = Mapping[str, Any]
CURVES = "curves.png"


def write_report(run: Run, progress: Progress, found: Evaluation, parity: Parity) -> Path:
    trained, measured = run.measured("train"), run.measured("evaluation") + run.measured("final")
    draw({run.config.name: (trained, measured)}, run.directory / CURVES)
    config = run.config
    worked = (
        f"{progress.seconds / 60:.1f} min without evaluations, {progress.updates} updates of "
        f"{config.batch}, {progress.transitions} transitions in {progress.grasps} episodes online"
    )
    agreed = (
        f"values differ by at most {parity.value_error:.1e}, actions are the same in "
        f"{parity.same_actions:.0%}, and where not, at most {parity.regret:.1e} is lost"
    )
    lines = [
        f"# {config.name}: {found.success.value:.1%} on {config.task.id}",
        "",
        f"- Held-out episodes, played by the exported file: {found}",
        f"- Training: {worked}",
        f"- Logs: {', '.join(config.data.logs) or 'none'}; seed {config.seed}",
        f"- Graph against torch on {parity.states} states: {agreed}",
        "",
        f"![success and values]({CURVES})",
        "",
        "| minutes | updates | transitions | episodes | success (95 %) |",
        "|---|---|---|---|---|",
        *(_row(line) for line in measured),
        "",
        "```yaml",
        yaml.safe_dump(plain(config), sort_keys=False).rstrip(),
        "```",
    ]
    path = run.directory / "report.md"
    write_atomic(path, ("\n".join(lines) + "\n").encode())
    return path


def _row(line: Line) -> str:
    rate = Rate(int(line["successes"]), int(line["episodes"]))
    minutes = line["seconds"] / 60
    return (
        f"| {minutes:.1f} | {line['updates']} | {line['transitions']} | {line['grasps']} | {rate} |"
    )


def draw(runs: Mapping[str, tuple[Sequence[Line], Sequence[Line]]], path: Path) -> None:
    """Success against time and against episodes, and what the critic thinks, of one or many runs:
    by name, what was recorded in training and in evaluations."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), constrained_layout=True)
    for number, (name, (trained, measured)) in enumerate(runs.items()):
        colour = f"C{number}"
        for axis, key, scale in ((axes[0], "seconds", 60.0), (axes[1], "grasps", 1.0)):
            _success(axis, measured, key, scale, colour, name)
            x = [line[key] / scale for line in trained if "success" in line]
            y = [line["success"] for line in trained if "success" in line]
            axis.plot(x, y, color=colour, alpha=0.35, linewidth=1)
        for key, style in (("q", "-"), ("q_next", "--"), ("loss", ":")):
            known = [line for line in trained if key in line]
            x = [line["seconds"] / 60 for line in known]
            label = key if number == 0 else None
            axes[2].plot(x, [line[key] for line in known], style, color=colour, label=label)
    for axis, title in zip(axes, ("minutes of training", "episodes online"), strict=False):
        axis.set(xlabel=title, ylabel="success", ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].legend(loc="lower right")
    axes[2].set(xlabel="minutes of training", ylim=(0, None))
    axes[2].legend()
    axes[2].grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _success(
    axis: Axes, measured: Sequence[Line], key: str, scale: float, colour: str, name: str
) -> None:
    rates = [Rate(int(line["successes"]), int(line["episodes"])) for line in measured]
    x = [line[key] / scale for line in measured]
    axis.plot(x, [rate.value for rate in rates], "o-", color=colour, markersize=4, label=name)
    ends = [rate.interval for rate in rates]
    axis.fill_between(x, [e[0] for e in ends], [e[1] for e in ends], color=colour, alpha=0.15)

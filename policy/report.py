"""A run in pictures and words: report.md and curves.png."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from policy.config import TrainConfig
from policy.contract.files import write_atomic
from policy.evaluate import Evaluation
from policy.progress import Progress
from policy.run import Run
from policy.statistics import Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from policy.export import Parity

Line = Mapping[str, Any]
VALUES = (("q", "-"), ("q_next", "--"), ("q_target", "--"), ("loss", ":"), ("critic_loss", ":"))
CURVES = "curves.png"


def write_report(
    run: Run[TrainConfig], progress: Progress, found: Evaluation, parity: Parity
) -> Path:
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
    title = f"return {found.mean_return:.3g}"
    if found.success is not None:
        title = f"{found.success.value:.1%}"
    lines = [
        f"# {config.name}: {title} on {config.task.id}",
        "",
        f"- Held-out episodes, played by the exported file: {found}",
        f"- Training: {worked}",
        f"- Logs: {', '.join(config.data.logs) or 'none'}; seed {config.seed}",
        f"- Graph against torch on {parity.states} states: {agreed}",
        "",
        f"![success and values]({CURVES})",
        "",
        "| minutes | updates | transitions | episodes | return | success (95 %) |",
        "|---|---|---|---|---|---|",
        *(_row(line) for line in measured),
        "",
        "```yaml",
        yaml.safe_dump(config.plain(), sort_keys=False).rstrip(),
        "```",
    ]
    path = run.directory / "report.md"
    write_atomic(path, ("\n".join(lines) + "\n").encode())
    return path


def _row(line: Line) -> str:
    counts = f"{line['updates']} | {line['transitions']} | {line['grasps']}"
    told = f"{line['return']:.3g} | {rate_of(line) or '-'}"
    return f"| {line['seconds'] / 60:.1f} | {counts} | {told} |"


def rate_of(line: Line) -> Rate | None:
    """Of an evaluation, where the task judges."""
    if "successes" not in line:
        return None
    return Rate(int(line["successes"]), int(line["episodes"]))


def draw(runs: Mapping[str, tuple[Sequence[Line], Sequence[Line]]], path: Path) -> None:
    """Success (or the return, where nobody judges) against time and against episodes, and what the
    critic thinks, of one or many runs: by name, what was recorded in training and evaluations."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), constrained_layout=True)
    judged = all(rate_of(line) for _, measured in runs.values() for line in measured)
    for number, (name, (trained, measured)) in enumerate(runs.items()):
        colour = f"C{number}"
        for axis, key, scale in ((axes[0], "seconds", 60.0), (axes[1], "grasps", 1.0)):
            if judged:
                _success(axis, measured, key, scale, colour, name)
                x = [line[key] / scale for line in trained if "success" in line]
                y = [line["success"] for line in trained if "success" in line]
                axis.plot(x, y, color=colour, alpha=0.35, linewidth=1)
            else:
                x = [line[key] / scale for line in measured]
                y = [line["return"] for line in measured]
                axis.plot(x, y, "o-", color=colour, markersize=4, label=name)
        for key, style in VALUES:
            if known := [line for line in trained if key in line]:
                x = [line["seconds"] / 60 for line in known]
                label = key if number == 0 else None
                axes[2].plot(x, [line[key] for line in known], style, color=colour, label=label)
    for axis, title in zip(axes, ("minutes of training", "episodes online"), strict=False):
        axis.set(xlabel=title, ylabel="success" if judged else "return")
        if judged:
            axis.set_ylim(0, 1)
        axis.grid(alpha=0.3)
    axes[0].legend(loc="lower right")
    axes[2].set(xlabel="minutes of training")
    if axes[2].lines:
        axes[2].legend()
    axes[2].grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _success(
    axis: Axes, measured: Sequence[Line], key: str, scale: float, colour: str, name: str
) -> None:
    rates = [rate for line in measured if (rate := rate_of(line))]
    x = [line[key] / scale for line in measured]
    axis.plot(x, [rate.value for rate in rates], "o-", color=colour, markersize=4, label=name)
    ends = [rate.interval for rate in rates]
    axis.fill_between(x, [e[0] for e in ends], [e[1] for e in ends], color=colour, alpha=0.15)

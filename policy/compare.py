"""Runs beside each other: their curves in one picture, their ends and what they differ in in one
table.

    python -m policy.compare out/seed0 out/seed1 out/seed2 --out results/grasp

writes results/grasp.png, .md and .json, which holds what was measured along the way.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from policy.contract import Invalid
from policy.contract.files import write_atomic
from policy.report import draw, rate_of
from policy.run import CONFIG, important, recorded

MEASURED = ("evaluation", "final")


def compare(runs: Sequence[Path], out: Path) -> str:
    """The table, which is also in OUT.md."""
    names = [run.name for run in runs]
    if len(set(names)) != len(names):
        raise Invalid("runs", ", ".join(names), "a name for each", "rename their directories")
    configs = [_choices(run) for run in runs]
    lines = {run.name: recorded(run) for run in runs}
    differing = {key for config in configs for key in config if _of(configs, key) > 1}
    rows = [
        "| run | with | minutes | updates | episodes | success (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for name, config in zip(names, configs, strict=True):
        told = ", ".join(f"{key}={config[key]}" for key in sorted(differing & config.keys()))
        measured = [line for line in lines[name] if line["kind"] in MEASURED]
        if not measured:
            raise Invalid(f"runs.{name}", "no evaluation", "one or more", "let it go on")
        rows.append(_row(name, told, measured[-1]))
    table = "\n".join(rows) + "\n"
    out.parent.mkdir(parents=True, exist_ok=True)
    draw({name: _parts(lines[name]) for name in names}, out.with_name(f"{out.name}.png"))
    write_atomic(out.with_name(f"{out.name}.md"), table.encode())
    write_atomic(out.with_name(f"{out.name}.json"), (json.dumps(lines) + "\n").encode())
    return table


def _choices(run: Path) -> dict[str, Any]:
    """What a run was told that may have made a difference."""
    values: dict[str, Any] = json.loads((run / CONFIG).read_text())
    return dict(_flat(important(values)))


def _of(configs: Sequence[Mapping[str, Any]], key: str) -> int:
    """How many values there are of one choice."""
    return len({json.dumps(config.get(key)) for config in configs})


def _parts(lines: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    training = [line for line in lines if line["kind"] == "train"]
    return training, [line for line in lines if line["kind"] in MEASURED]


def _row(name: str, told: str, line: Mapping[str, Any]) -> str:
    found = rate_of(line) or f"return {line['return']:.3g}"
    way = "" if line["kind"] == "final" else ", under way"
    counts = f"{line['seconds'] / 60:.0f} | {line['updates']} | {line['grasps']}"
    return f"| {name} | {told} | {counts} | {found}{way} |"


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m policy.compare", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="path without its suffix")
    a = parser.parse_args(argv)
    try:
        print(compare(a.runs, a.out))
    except (Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy.compare import main


def a_run(directory: Path, seed: int, discount: float, successes: int) -> Path:
    directory.mkdir()
    config = {"seed": seed, "minutes": 3.0 + seed, "qtopt": {"discount": discount, "lag": 200}}
    (directory / "config.json").write_text(json.dumps(config))
    known = {"updates": 700, "transitions": 9000, "grasps": 500, "seconds": 540.0}
    lines = [
        {"kind": "train", **known, "loss": 0.5, "q": 0.3, "q_next": 0.4, "success": 0.2},
        {"kind": "evaluation", **known, "successes": 1, "episodes": 100},
        {"kind": "final", **known, "successes": successes, "episodes": 300},
    ]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return directory


def test_tells_the_ends_and_what_was_different(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = a_run(tmp_path / "a", 0, 0.9, 150), a_run(tmp_path / "b", 0, 0.97, 240)
    out = tmp_path / "results/both"
    assert main([str(first), str(second), "--out", str(out)]) == 0
    table = out.with_suffix(".md").read_text()
    assert table in capsys.readouterr().out
    assert "| a | qtopt.discount=0.9 | 9 | 700 | 500 | 50.0% (44.4%-55.6%, 150 of 300) |" in table
    assert "| b | qtopt.discount=0.97 |" in table
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(out.with_suffix(".json").read_text())["b"][-1]["successes"] == 240


def test_two_runs_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    runs = [a_run(tmp_path / "a", 0, 0.9, 1), a_run(tmp_path / "other/a", 1, 0.9, 2)]
    assert main([*map(str, runs), "--out", str(tmp_path / "both")]) == 2
    assert "runs: found 'a, a', wanted a name for each" in capsys.readouterr().err

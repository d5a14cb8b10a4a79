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
        {"kind": "evaluation", **known, "return": 0.1, "successes": 1, "episodes": 100},
        {"kind": "final", **known, "return": 0.1, "successes": successes, "episodes": 300},
    ]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return directory


def test_tells_the_ends_and_what_was_different(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = a_run(tmp_path / "a", 0, 0.9, 150), a_run(tmp_path / "b", 0, 0.97, 240)
    out = tmp_path / "results/noise0.25"
    assert main([str(first), str(second), "--out", str(out)]) == 0
    table = out.with_name("noise0.25.md").read_text()
    assert table in capsys.readouterr().out
    assert "| a | qtopt.discount=0.9 | 9 | 700 | 500 | 50.0% (44.4%-55.6%, 150 of 300) |" in table
    assert "| b | qtopt.discount=0.97 |" in table
    assert out.with_name("noise0.25.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(out.with_name("noise0.25.json").read_text())["b"][-1]["successes"] == 240


def test_two_runs_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    runs = [a_run(tmp_path / "a", 0, 0.9, 1), a_run(tmp_path / "other/a", 1, 0.9, 2)]
    assert main([*map(str, runs), "--out", str(tmp_path / "both")]) == 2
    assert "runs: found 'a, a', wanted a name for each" in capsys.readouterr().err


def test_a_run_under_way_is_told_from_one_that_is_over_and_from_one_that_was_never_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    over, under_way = a_run(tmp_path / "over", 0, 0.9, 30), a_run(tmp_path / "way", 1, 0.9, 30)
    metrics = under_way / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(lines[:2]))
    assert main([str(over), str(under_way), "--out", str(tmp_path / "both")]) == 0
    assert "| way | seed=1 | 9 | 700 | 500 | 1.0% (0.2%-5.4%, 1 of 100), under way |" in (
        capsys.readouterr().out
    )
    metrics.write_text(lines[0])
    assert main([str(over), str(under_way), "--out", str(tmp_path / "both")]) == 2
    assert "runs.way: found 'no evaluation', wanted one or more" in capsys.readouterr().err

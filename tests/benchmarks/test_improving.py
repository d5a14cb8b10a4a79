"""A run's folder: made once, made again after a kill, and told of when it is asked for again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.improving import BEGUN, LEARNT, PLAYED, begin, ended
from policy.contract import Invalid

ASKED = {"room": "kitchen", "seed": 3, "choices": {"rate": 0.2}, "episodes": 2}


def played(folder: Path) -> None:
    begin(folder)
    told = {**ASKED, "episodes": [{"truth": True}, {"truth": False}]}
    (folder / PLAYED).write_text(json.dumps(told))


def test_a_run_that_ended_is_told_of_and_not_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert ended(folder, ASKED) is None
    played(folder)
    assert ended(folder, ASKED) is None  # stopped before it had its last policy
    (folder / LEARNT).touch()
    told = ended(folder, ASKED)
    assert told is not None
    assert [one["truth"] for one in told["episodes"]] == [True, False]
    for key, other in (("room", "factory"), ("episodes", 3), ("choices", {})):
        with pytest.raises(Invalid, match=key) as raised:
            ended(folder, {**ASKED, key: other})
        assert str(folder) in str(raised.value)


def test_only_a_run_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    played(folder)
    begin(folder)
    assert [one.name for one in folder.iterdir()] == [BEGUN]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").touch()
    with pytest.raises(Invalid, match="mine"):
        begin(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis").exists()

"""Detectors by name, which learn what they lack from empty cycles."""

from __future__ import annotations

from pathlib import Path

import pytest
from bins import CLUTTER, DROPPED, empty_cycles, mask, picture

from policy.contract import Invalid
from reward.detector import Setup
from reward.panel import Panel


def test_it_judges_once_it_has_seen_empty_cycles_and_remembers_them(tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path / "cell")
    panel = Panel(["subtraction"], setup)
    assert "noise" in panel.problem
    for before, after in empty_cycles():
        panel.learn({"front": before}, {"front": after})
    assert panel.problem == ""
    again = Panel(["subtraction"], setup)
    assert again.problem == ""
    for one in (panel, again):
        [found] = one.judge({"front": picture(seed=7)}, {"front": picture([*CLUTTER, DROPPED], 8)})
        assert (found.detector, found.success) == ("subtraction", True)


def test_a_detector_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"detectors: found \['oracle'\], wanted of subtraction"):
        Panel(["oracle"], Setup({"front": mask()}, tmp_path))

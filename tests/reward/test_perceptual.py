"""A reward from a handful of demonstrations and of empty cycles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bins import empty_cycles
from judged import judged_log, mask, pair, small

from policy.contract import Invalid
from reward.__main__ import main
from reward.detector import Setup, detector
from reward.panel import Panel


def test_a_few_examples_are_enough(tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path / "cell")
    panel = Panel.of("perceptual", setup)
    assert "3 or more" in panel.problem
    for before, after in empty_cycles(4):
        panel.learn({"front": small(before)}, {"front": small(after)})
    assert "successes" in panel.problem
    judged_log(tmp_path / "log", 12)
    command = ["demonstrate", str(setup.folder), str(tmp_path / "log")]
    assert main([*command, "--count", "12"]) == 0
    assert main([*command, "--count", "12"]) == 0  # what was shown is not shown again
    judge = detector("perceptual", setup)
    right = 0
    for seed in range(7000, 7020):
        shown = pair(seed, bool(seed % 2))
        found = judge.judge(shown.before, shown.after)
        assert not found.abstained
        assert found.confidence <= 0.951
        right += found.success == bool(seed % 2)
    assert right >= 17
    black = {"front": np.zeros((*mask().shape, 3), np.uint8)}
    assert judge.judge(black, black).abstained


def test_what_was_shown_to_another_camera_is_refused(tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path)
    panel = Panel.of("perceptual", setup)
    [(before, after)] = empty_cycles(1)
    panel.learn({"front": small(before)}, {"front": small(after)})
    with pytest.raises(Invalid, match="size"):
        detector("perceptual", Setup({"front": mask()[:-1]}, tmp_path))

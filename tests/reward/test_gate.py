"""Who may label: measured on labelled episodes, in intervals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from judges import verdicts

from policy.contract import ContractError, Invalid
from policy.experience.episode import Verdict
from reward.gate import Gates, Wanted, examine
from reward.watch import WINDOW, Watch


def test_a_good_detector_passes_and_a_poor_one_does_not() -> None:
    assert examine("good", *verdicts("good", 400, right=0.99)).passed
    coin = [Verdict("coin", k % 2 == 0, 0.9) for k in range(400)]
    truths = [k % 3 == 0 for k in range(400)]
    gate = examine("coin", coin, truths)
    assert not gate.passed
    assert gate.precision.value < 0.5
    assert "did not pass" in str(gate)


def test_the_threshold_buys_precision_with_silence() -> None:
    said, truths = verdicts("x", 2000, right=0.93)
    loose = examine("x", said, truths, Wanted(0.8, 0.5))
    strict = examine("x", said, truths, Wanted(0.97, 0.5))
    assert strict.threshold > loose.threshold
    assert strict.labelled < loose.labelled
    assert strict.precision.value > loose.precision.value
    assert loose.passed
    assert strict.passed


def test_few_episodes_prove_little() -> None:
    said, truths = verdicts("x", 60, right=1.0)
    assert not examine("x", said, truths, Wanted(0.95)).passed  # 13 right of 13: 77 % at least
    assert examine("x", said, truths, Wanted(0.75, 0.75)).passed
    with pytest.raises(Invalid, match="20 or more"):
        examine("x", said[:19], truths[:19])


def test_what_it_is_worth_is_measured_where_the_threshold_was_not_chosen() -> None:
    """Right by chance in the first half alone: it does not pass by that."""
    truths = [True] * 100 + [k % 2 == 0 for k in range(100)]
    said = [Verdict("lucky", True, 0.9) for _ in truths]
    gate = examine("lucky", said, truths)
    assert (gate.right, gate.told) == (50, 100)
    assert not gate.passed


def test_abstentions_and_misses_count_where_they_should() -> None:
    said, truths = verdicts("x", 400, right=1.0)
    silent = [replace(v, abstained=True) if k % 4 == 0 else v for k, v in enumerate(said)]
    gate = examine("x", silent, truths)
    assert gate.episodes == 200
    assert gate.labelled <= 150
    deaf = [replace(v, success=False) if k % 2 else v for k, v in enumerate(said)]
    gate = examine("x", deaf, truths, Wanted(0.9, 0.8))
    assert gate.precision.value == 1.0
    assert gate.recall.value == pytest.approx(0.5, abs=0.1)
    assert not gate.passed


def test_gates_are_kept_and_the_latest_counts(tmp_path: Path) -> None:
    said, truths = verdicts("x", 300)
    gates = Gates(tmp_path)
    assert not gates
    first = gates.give(examine("x", said, truths))
    content = first.read_bytes()
    second = examine("x", said, truths, Wanted(0.5, 0.5))
    gates.give(second)
    assert first.read_bytes() == content
    again = Gates(tmp_path)
    assert again
    assert again.of("x") == second
    assert again.of("y") is None
    first.write_text(json.dumps(json.loads(first.read_text()) | {"told": "many"}))
    with pytest.raises(ContractError, match="told"):
        Gates(tmp_path)


def test_who_judges_as_ever_is_hardly_ever_accused(tmp_path: Path) -> None:
    """Three lives of 250 episodes, each looked at after every episode."""
    said, truths = verdicts("x", 600)
    gate = examine("x", said, truths)
    alarms = 0
    for life in range(3):
        watch = Watch(gate, tmp_path / f"{life}.jsonl")
        for one in verdicts("x", 250, seed=100 + life)[0]:
            watch.saw(one)
        alarms += bool(watch.demoted)
    assert alarms == 0


def test_who_became_less_sure_is_noticed_within_a_window_or_two(tmp_path: Path) -> None:
    gate = examine("x", *verdicts("x", 600))
    watch = Watch(gate, tmp_path / "watch.jsonl")
    random = np.random.default_rng(3)
    for number, one in enumerate(verdicts("x", 3 * WINDOW, seed=9)[0]):
        if number >= WINDOW:
            one = replace(one, confidence=float(random.uniform(0.5, 0.9)))
        watch.saw(one)
        if watch.demoted:
            break
    assert WINDOW < number < 2 * WINDOW
    path = tmp_path / "watch.jsonl"
    assert Watch(gate, path).demoted == watch.demoted
    path.write_text(path.read_text() + '{"said": tr')  # killed over it
    assert Watch(gate, path).demoted == watch.demoted
    assert path.read_text().endswith("\n")

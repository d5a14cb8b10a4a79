"""Int8 only where nothing is lost by it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reach  # noqa: F401 - registers the task

from policy import quantize
from policy.config import from_mapping
from policy.contract import read_card
from policy.evaluate import Evaluation, parser
from policy.finish import finish
from policy.runtime import OnnxPolicy
from policy.serving.parity import made_up, require_parity
from policy.statistics import Rate
from policy.train import Training

SMALL: dict[str, Any] = {
    "task": {"id": "reach:Reach-v0", "size": 24, "envs": 2},
    "qtopt": {"critic": {"norm": "layer", "width": 8, "hidden": 32}},
    "evaluation": {"final_episodes": 2, "envs": 2, "processes": 1},
    "minutes": 0.01,
}
PLAY = ["--task", "reach:Reach-v0", "--episodes", "4", "--envs", "2", "--processes", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    with ExitStack() as stack:
        training = Training(from_mapping(SMALL), directory, stack)
        finish(training.run, training.learner, training.progress)
    return directory / "policy.onnx"


def test_a_robots_action_does_not_depend_on_who_is_served_with_it(
    trained: Path, tmp_path: Path
) -> None:
    policy = OnnxPolicy(trained)
    feeds = made_up(policy.interface, policy.stack, 16)
    path = tmp_path / "int8.onnx"
    path.write_bytes(quantize.quantized(trained, feeds))
    smaller = OnnxPolicy(path)
    assert path.stat().st_size < trained.stat().st_size
    assert smaller.card == policy.card
    require_parity(smaller, feeds)
    seeds = range(len(feeds))
    errors = [
        abs(policy.act(feed, seeds=[seed]).q - smaller.act(feed, seeds=[seed]).q)
        for feed, seed in zip(feeds, seeds, strict=True)
    ]
    assert np.mean(errors) < 0.02


@pytest.mark.parametrize(("after", "written"), [(3, True), (2, True), (1, False)])
def test_it_is_written_only_if_it_does_no_worse(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    written: bool,
) -> None:
    counts = iter([2, after])  # of the policy, and of the quantised one

    def judged(*_: object) -> Evaluation:
        successes = next(counts)
        return Evaluation(4, Rate(successes, 4), 0.0, 1.0)

    monkeypatch.setattr("policy.evaluate.judged", judged)
    path = tmp_path / "int8.onnx"
    assert quantize.main([str(trained), str(path), *PLAY]) == (0 if written else 1)
    assert path.exists() == written
    if written:
        success = read_card(path).success
        assert success is not None
        assert (success.episodes, success.successes) == (4, after)


def test_the_states_are_those_that_the_policy_gets_into(trained: Path) -> None:
    choice = parser("quantize", None).parse_args([str(trained), *PLAY])
    feeds = quantize.observed(trained, choice)
    assert sum(len(feed["front"]) for feed in feeds) == quantize.STATES
    assert len({feed["front"].tobytes() for feed in feeds}) > 20

"""A whole run, small: logs in, a policy file and a report out; and going on after a stop."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import reach  # noqa: F401 - registers the task
import torch

from policy.checkpoint import read_checkpoint
from policy.config import LEAST_RATE, TrainConfig, from_mapping
from policy.contract import ContractError, read_card
from policy.evaluate import main as evaluate_main
from policy.experience.record import record_episodes
from policy.progress import Progress
from policy.train import Training, train

TASK = {"id": "reach:Reach-v0", "size": 24, "envs": 2}
SMALL: dict[str, Any] = {
    "task": TASK,
    "learner": "qtopt",
    "qtopt": {
        "action_window": 0,
        "critic": {
            "norm": "layer",
            "width": 8,
            "hidden": 16,
            "head": {"kind": "hl_gauss", "low": -20.0, "high": 0.0},
        },
        "cem": {"samples": 8, "elites": 2},
    },
    "data": {"success_share": None, "offline_capacity": 400, "online_capacity": 400},
    "evaluation": {
        "every_minutes": 100.0,
        "episodes": 4,
        "final_episodes": 6,
        "envs": 2,
        "processes": 1,
    },
    "batch": 8,
}

LOGGED = {"data": {**SMALL["data"], "logs": ["out/log"]}}


def config(**fields: Any) -> TrainConfig:
    return from_mapping({**SMALL, **fields})


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("log")
    env = gymnasium.make("Reach-v0", render_mode="rgb_array")
    list(record_episodes(env, directory, 6, (24, 24)))
    env.close()
    return str(directory)


def test_from_the_first_step_to_a_judged_file(tmp_path: Path, capsys: Any) -> None:
    found = train(config(minutes=0.03, updates_per_step=0.25), tmp_path / "run")
    assert found.success.tries == 6
    card = read_card(tmp_path / "run/policy.onnx")
    assert card.cell_id == "Reach-v0"
    assert card.success is not None
    assert (card.success.episodes, card.success.successes) == (6, found.success.successes)
    assert json.loads(card.provenance.config)["batch"] == 8
    report = (tmp_path / "run/report.md").read_text()
    assert f"{found.success.successes} of 6" in report
    assert (tmp_path / "run/curves.png").stat().st_size > 10_000
    assert list((tmp_path / "run").glob("events.*"))
    # The file by itself, on the same held-out episodes.
    arguments = [str(tmp_path / "run/policy.onnx"), "--task", "reach:Reach-v0"]
    assert evaluate_main([*arguments, "--episodes", "6", "--envs", "2", "--processes", "1"]) == 0
    assert str(found.success) in capsys.readouterr().out


def train_offline(log: str, directory: Path, updates: int) -> dict[str, torch.Tensor]:
    data = {**SMALL["data"], "logs": [log]}
    with ExitStack() as stack:
        training = Training(config(data=data, offline_updates=updates), directory, stack)
        training.train()
        training.save()
    tensors, values = read_checkpoint(directory / "checkpoint.safetensors")
    assert values["updates"] == updates
    return tensors


def test_a_run_that_was_stopped_ends_bit_for_bit_as_one_that_was_not(
    tmp_path: Path, log: str
) -> None:
    whole = train_offline(log, tmp_path / "whole", 12)
    first = config(data={**SMALL["data"], "logs": [log]}, offline_updates=12)
    with ExitStack() as stack:
        stopped = Training(first, tmp_path / "stopped", stack)
        for _ in range(5):
            stopped._advance()
        stopped.save()
    rest = train_offline(log, tmp_path / "stopped", 12)
    assert rest.keys() == whole.keys()
    assert all(torch.equal(rest[name], whole[name]) for name in whole)


def test_the_learning_rate_falls_towards_the_end() -> None:
    online, offline = config(minutes=10.0, decay=0.5), config(offline_updates=100, **LOGGED)
    seconds = [0.0, 300.0, 450.0, 600.0, 700.0]
    rates = [online.rate(Progress(seconds=at)) for at in seconds]
    assert rates == [1.0, 1.0, 0.5, LEAST_RATE, LEAST_RATE]
    assert replace(offline, decay=0.0).rate(Progress(updates=75)) == 0.25
    assert offline.rate(Progress(updates=200)) == 1.0  # never, unless told


def test_a_directory_is_not_taken_for_another_run(tmp_path: Path, log: str) -> None:
    train_offline(log, tmp_path, 2)
    other = config(data={**SMALL["data"], "logs": [log]}, offline_updates=2, batch=16)
    with (
        ExitStack() as stack,
        pytest.raises(ContractError, match="batch: found 16, wanted 8; choose another directory"),
    ):
        Training(other, tmp_path, stack)
    longer = replace(other, batch=8, minutes=0.001)
    with ExitStack() as stack:
        assert Training(longer, tmp_path, stack).progress.updates == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"minutes": 0.0}, "minutes: found 0, wanted more, or offline_updates"),
        ({"offline_updates": 5}, "offline_updates: found '5 without a log'"),
        ({"minuts": 3}, "minuts.*did you mean 'minutes'"),
        ({"minutes": 1.0, "qtopt": {"lagg": 3}}, "qtopt.lagg.*did you mean 'lag'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ContractError, match=named):
        config(**change)

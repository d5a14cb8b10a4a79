"""A whole run, small: logs in, a policy file and a report out; and going on after a stop."""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import reach  # noqa: F401 - registers the task
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import policy
from policy.checkpoint import read_checkpoint
from policy.config import LEAST_RATE, TrainConfig, from_mapping
from policy.contract import ContractError, Invalid, read_card
from policy.evaluate import main as evaluate_main
from policy.experience.errors import ExperienceError
from policy.experience.log import read_episode
from policy.experience.record import record_episodes
from policy.learners import learner
from policy.learners.qtopt import QTOpt
from policy.progress import Progress
from policy.run import CHECKPOINT, recorded
from policy.train import Training, train

RECIPES = Path(policy.__file__).parent / "conf/recipe"
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
    often = {**SMALL["evaluation"], "every_minutes": 0.01}
    choices = config(minutes=0.03, updates_per_step=0.25, evaluation=often)
    found = train(choices, tmp_path / "run")
    assert found.success is not None
    assert found.success.tries == 6
    card = read_card(tmp_path / "run/policy.onnx")
    assert card.cell_id == "Reach-v0"
    assert card.success is not None
    assert (card.success.episodes, card.success.successes) == (6, found.success.successes)
    assert json.loads(card.provenance.config)["batch"] == 8
    report = (tmp_path / "run/report.md").read_text()
    assert f"{found.success.successes} of 6" in report
    assert report.count(" of 4)") >= 2  # on the way
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
        stopped.measure()  # takes nothing of the chance that training goes on with
        stopped.save()
    rest = train_offline(log, tmp_path / "stopped", 12)
    assert rest.keys() == whole.keys()
    assert all(torch.equal(rest[name], whole[name]) for name in whole)


def test_each_log_has_its_share_of_a_batch(tmp_path: Path, log: str) -> None:
    """Of other kinds of pictures, for instance; to the learner, all of it is what others did."""
    env = gymnasium.make("Reach-v0", render_mode="rgb_array")
    files = list(record_episodes(env, tmp_path / "log", 3, (24, 24), seed=100))
    env.close()
    data = {**SMALL["data"], "logs": [log, str(tmp_path / "log")], "shares": [1, 3]}
    with ExitStack() as stack:
        training = Training(config(data=data, offline_updates=2), tmp_path / "run", stack)
        training._advance()
        assert [source.share for source in training.sampler.sources] == [0.25, 0.75, 0.0]
        batch = training.sampler.sample(64)
        training._reshare(0.5)
        assert [source.share for source in training.sampler.sources] == [0.125, 0.375, 0.5]
    assert (batch.source == learner.LOGGED).all()
    theirs = {tuple(one) for file in files for one in read_episode(file).executed[1:].tolist()}
    assert [tuple(one) in theirs for one in batch.action.tolist()] == [False] * 16 + [True] * 48


def test_what_was_measured_after_the_checkpoint_did_not_happen(tmp_path: Path) -> None:
    choices = config(minutes=1.0)
    with ExitStack() as stack:
        training = Training(choices, tmp_path, stack)
        for seconds in (1.0, 2.0, 3.0):  # killed after the third
            training.progress.seconds = seconds
            training.run.record("evaluation", training.progress, {"return": seconds})
            if seconds == 2.0:
                training.save()
    with ExitStack() as stack:
        again = Training(choices, tmp_path, stack)
        assert again.progress.seconds == 2.0
        assert [line["return"] for line in again.run.measured("evaluation")] == [1.0, 2.0]


def test_a_learner_that_diverges_is_stopped_and_its_last_checkpoint_kept(
    tmp_path: Path, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_offline(log, tmp_path, 4)
    kept = (tmp_path / CHECKPOINT).read_bytes()
    monkeypatch.setattr(QTOpt, "update", lambda *_: {"loss": math.nan})
    data = {**SMALL["data"], "logs": [log]}
    with pytest.raises(Invalid, match="loss of update 4: found nan, wanted finite"):
        train(config(data=data, offline_updates=4, minutes=0.1), tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == kept


def test_updates_wait_for_as_many_transitions_as_they_are_told_to(tmp_path: Path) -> None:
    with ExitStack() as stack:
        choices = config(minutes=1.0, first_update=40, updates_per_step=1.0)
        training = Training(choices, tmp_path, stack)
        while training.progress.transitions < 40:
            assert training.progress.updates == 0
            training._advance()
        taken = training.progress.transitions
        training._advance()
        # Nothing is made up for.
        assert training.progress.updates <= 1 + training.progress.transitions - taken + 1


def test_a_log_that_is_not_there_leaves_the_directory_free(tmp_path: Path, log: str) -> None:
    data = {**SMALL["data"], "logs": [str(tmp_path / "nowhere")]}
    with ExitStack() as stack, pytest.raises((ExperienceError, OSError)):
        Training(config(data=data, offline_updates=1), tmp_path / "run", stack)
    train_offline(log, tmp_path / "run", 1)


@pytest.mark.parametrize("recipe", sorted(file.stem for file in RECIPES.glob("*.yaml")))
def test_each_recipe_is_a_configuration(recipe: str) -> None:
    with initialize_config_dir(str(RECIPES.parent), version_base="1.3"):
        choices = compose("train", [f"recipe={recipe}", "task.id=Some-v0", "+data.logs=[out/log]"])
    values = OmegaConf.to_container(choices, resolve=True)
    assert isinstance(values, dict)
    del values["out"]
    found = from_mapping({str(name): value for name, value in values.items()})
    assert found.name == recipe


def test_pixels_go_through_the_same_door(tmp_path: Path) -> None:
    """DrQ-v2, as its recipe has it but small."""
    small = {"stack": 2, "width": 4, "features": 8, "hidden": 16}
    choices = config(
        learner="drqv2", drqv2={"sizes": small, "shift": 1}, minutes=0.02, updates_per_step=0.2
    )
    train(choices, tmp_path)
    card = read_card(tmp_path / "policy.onnx")
    assert card.stack == 2
    assert "critic_loss" in recorded(tmp_path)[0]


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
        ({"minutes": 1.0, "seed": 1234}, "seed: found 1234, wanted 0 to 899"),
        ({"minutes": 1.0, "data": {"shares": [1]}}, "shares: found '1 shares', wanted 0"),
        (
            {"minutes": 1.0, "data": {"logs": ["a", "b"], "shares": [0, 0]}},
            r"shares: found \(0\.0, 0\.0\), wanted 0 or more, some of them more",
        ),
        ({"minuts": 3}, "minuts.*did you mean 'minutes'"),
        ({"minutes": 1.0, "qtopt": {"lagg": 3}}, "qtopt.lagg.*did you mean 'lag'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ContractError, match=named):
        config(**change)

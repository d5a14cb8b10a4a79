"""What a policy does in its task, as a log that the next one learns from."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reach  # noqa: F401 - registers the task
import torch

import policy
from policy.collect import collect, main, player
from policy.config import from_mapping, make_envs, make_learner
from policy.contract import ContractError
from policy.experience.episode import Driver, Episode
from policy.experience.log import open_index, read_episode
from policy.experience.record import CAMERA
from policy.learners.qtopt import QTOpt
from policy.progress import Progress
from policy.run import Run
from policy.start import read_start
from policy.train import Training

TRAINED = Path(policy.__file__).parent / "trained/grasp.safetensors"
CHOICES: dict[str, Any] = {
    "task": {"id": "reach:Reach-v0", "size": 24, "envs": 2},
    "qtopt": {
        "critic": {"norm": "layer", "width": 8, "hidden": 16},
        "cem": {"samples": 8, "elites": 2},
    },
    "data": {"offline_capacity": 400, "online_capacity": 400},
    "batch": 8,
}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    config = from_mapping({**CHOICES, "minutes": 1.0})
    with closing(make_envs(config.task, 1, 1)) as envs:
        deployment = envs.deployment
    with Run(directory, config, deployment) as run:
        run.save(make_learner(config, deployment), Progress())
    return directory


def episodes(log: Path) -> list[Episode]:
    with open_index(log) as index:
        assert not index.problems
        return [read_episode(entry.path) for entry in index]


def test_episodes_say_who_played_what(start: Path, tmp_path: Path) -> None:
    found = collect(start, tmp_path / "log", 30)
    played = episodes(tmp_path / "log")
    assert found.tries == len(played) == 6  # of five or six steps: two at a time
    assert found.successes == sum(one.success is True for one in played)
    for one in played:
        assert (one.info.source, one.info.task) == ("offline", "reach:Reach-v0")
        assert one.info.cell_id == "Reach-v0"
        assert (one.driver[1:] == Driver.POLICY).all()
        assert np.isfinite(one.q[1:]).all()
        assert one.policy_version[0] == ""
    assert len({version for one in played for version in one.policy_version[1:]}) == 1
    assert len({one.images[CAMERA][0].tobytes() for one in played}) == len(played)


def test_the_same_command_adds_what_is_missing_and_nothing_twice(
    start: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    collect(start, log, 12)
    had = {path.name for path in log.glob("*.mcap")}
    assert collect(start, log, 12).tries == 0
    assert collect(start, log, 24).tries == 2
    assert had < {path.name for path in log.glob("*.mcap")}
    firsts = [one.images[CAMERA][0].tobytes() for one in episodes(log)]
    assert len(set(firsts)) == len(firsts) == 4


def test_a_learner_learns_from_it(start: Path, tmp_path: Path) -> None:
    collect(start, tmp_path / "log", 24)
    data = {**CHOICES["data"], "logs": [str(tmp_path / "log")], "success_share": None}
    with ExitStack() as stack:
        config = from_mapping({**CHOICES, "data": data, "offline_updates": 2})
        training = Training(config, tmp_path / "next", stack)
        training.train()
        assert training.progress.updates == 2


def test_what_does_not_fit_is_named(
    start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(tmp_path / "log")
    assert main([str(start), log, "--transitions", "0"]) == 2
    assert "transitions: found 0, wanted 1 or more" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), log, "--transitions", "9"]) == 2
    assert "start: found" in capsys.readouterr().err
    assert main([str(start), log, "--transitions", "6"]) == 0
    other = tmp_path / "other"
    config = from_mapping({**CHOICES, "task": {**CHOICES["task"], "size": 16}, "minutes": 1.0})
    with closing(make_envs(config.task, 1, 1)) as envs:
        deployment = envs.deployment
    with Run(other, config, deployment) as run:
        run.save(make_learner(config, deployment), Progress())
    assert main([str(other), log, "--transitions", "12"]) == 2
    assert "collect into another directory" in capsys.readouterr().err


def test_a_task_that_shows_something_else_is_refused(start: Path, tmp_path: Path) -> None:
    begun = read_start(start)
    seen = begun.deployment.interface
    other = replace(begun.deployment, interface=replace(seen, control_period_s=9.0))
    with pytest.raises(ContractError, match=r"does not fit the task.*\n.*control_period_s: found"):
        player(begun, other)
    with pytest.raises(TypeError, match="room"):  # arguments of the task's own
        collect(start, tmp_path / "log", 6, arguments={"room": "kitchen"})


def test_in_another_cell_the_policy_looks_from_where_the_camera_is_there() -> None:
    start = read_start(TRAINED)
    [view] = start.deployment.views
    a, b, c = view.matrix
    moved = replace(view, matrix=((a[0], a[1], a[2], a[3] + 1.0), b, c))
    found = []
    for one in (view, moved):
        learner = player(start, replace(start.deployment, views=(one,)))
        assert isinstance(learner, QTOpt)
        found.append(dict(learner.target.state_dict()) | dict(learner.target.named_buffers()))
    same, there = found
    place = "hand._look.mounted"
    assert torch.equal(same[place], start.tensors[f"target.{place}"])
    assert not torch.equal(there[place], same[place])
    # It is laid out as it was in training.
    assert all(torch.equal(there[name], same[name]) for name in same if name != place)

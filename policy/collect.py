"""Play a policy in its task and keep the episodes as a log, for the next policy to learn from.

    python -m policy.collect out/grasp out/again --transitions 40000
    python -m policy.train data.logs=[out/log,out/again] out=out/better

It strays as in training, so that what is near a good grasp is seen, too. Nothing is learnt: where
pictures have to be translated before anybody learns from them, policies and logs take turns. The
task is what the policy was trained on, but for `--arguments`. Stopped at any moment, the same
command adds what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from policy.config import APART, SEEDS, TaskConfig, make_envs, make_learner
from policy.contract import ContractError, Deployment, Invalid, differences
from policy.experience.episode import Episode
from policy.experience.log.collected import collected
from policy.experience.log.whole import write_episode
from policy.experience.telling import exit_code
from policy.learners.learner import Learner
from policy.rollouts import Rollouts
from policy.run import CHECKPOINT
from policy.start import Start, read_start
from policy.statistics import Rate

SOURCE = "offline"


def collect(
    path: Path,
    log: Path,
    transitions: int,
    seed: int = 0,
    arguments: Mapping[str, Any] | None = None,
) -> Rate:
    """Adds to the log what it lacks; returns how often the episodes that were added succeeded."""
    if transitions < 1:
        raise Invalid("transitions", transitions, "1 or more", "say how many")
    if not 0 <= seed < SEEDS:
        raise Invalid("seed", seed, f"0 to {SEEDS - 1}", "beyond lie held-out episodes")
    start = read_start(path)
    task = start.config.task
    task = replace(task, arguments={**task.arguments, **(arguments or {})})
    with closing(make_envs(task, task.envs, task.processes)) as envs:
        log.mkdir(parents=True, exist_ok=True)
        had = sum(entry.steps for entry in collected(log, envs.interface))
        learner = player(start, envs.deployment)
        begun = seed * APART + had  # who goes on after a stop sees other episodes
        torch.manual_seed(begun)
        played = Rollouts(envs, learner.interface, learner.draw.stack, SOURCE, begun)
        version, won, tried = _version(path), 0, 0
        act = partial(learner.act, explore=True)
        with tqdm(total=transitions, initial=had, unit=" transitions") as bar:
            while had < transitions:
                for _, episode in played.advance(act):
                    write_episode(_signed(episode, task, envs.deployment, version), log)
                    had, tried, won = had + len(episode), tried + 1, won + bool(episode.success)
                    bar.update(len(episode))
    return Rate(won, tried)


def player(start: Start, deployment: Deployment) -> Learner:
    """With its cameras where the task has them; all else is to be as it was in training."""
    ours, theirs = (replace(one, views=()) for one in (start.deployment, deployment))
    if problems := list(differences(ours, theirs, "choose arguments that fit the policy")):
        raise ContractError(f"policy '{start.config.name}' does not fit the task", problems)
    learner = make_learner(start.config, start.deployment)
    learner.load_state_dict(dict(start.tensors))
    if deployment.views != start.deployment.views:
        learner.mount(deployment.views)
    return learner


def _version(path: Path) -> str:
    """Of who acts, as it is in the log."""
    content = (path / CHECKPOINT if path.is_dir() else path).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def _signed(episode: Episode, task: TaskConfig, deployment: Deployment, version: str) -> Episode:
    info = replace(episode.info, task=task.id, cell_id=deployment.cell_id)
    versions = ("", *[version] * len(episode))
    return replace(episode, info=info, policy_version=versions)


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m policy.collect", description=__doc__)
    top.add_argument("policy", type=Path, help="a run of policy.train, or a file of policy.start")
    top.add_argument("log", type=Path, help="where the episodes go; made, or continued")
    top.add_argument("--transitions", type=int, required=True, help="that are there in the end")
    top.add_argument("--seed", type=int, default=0)
    top.add_argument("--arguments", type=json.loads, help="of the task, that differ, as JSON")
    a = top.parse_args(argv)
    torch.set_num_threads(1)

    def work() -> None:
        found = collect(a.policy, a.log, a.transitions, a.seed, a.arguments)
        rate = f", success {found}" if found.tries else ""
        print(f"{found.tries} episodes added{rate}")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())

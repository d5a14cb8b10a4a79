"""The end of a run: export, judge what was exported, tell."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import torch
from tqdm import tqdm

from policy.config import TrainConfig, make_envs
from policy.contract import Provenance, SimulatedSuccess, write_card
from policy.environments import FloatArray
from policy.evaluate import HELD_OUT, Evaluation, Fed, drawn_size, evaluate, raw
from policy.export import card_of, export, now
from policy.learners.learner import Learner, Observations
from policy.progress import Progress
from policy.report import write_report
from policy.rollouts import Rollouts
from policy.run import Run
from policy.runtime import OnnxPolicy

STATES = 64  # that graph and torch are compared on


def finish(run: Run[TrainConfig], learner: Learner, progress: Progress) -> Evaluation:
    """Export the policy, play the held-out episodes with the exported file, put the count into its
    card, and write the report."""
    config, path = run.config, run.directory / "policy.onnx"
    card = card_of(config.name, learner, run.deployment, provenance(run))
    interface, stack = card.interface, card.stack
    task, choice = config.task, config.evaluation
    envs = make_envs(task, choice.envs, choice.processes, drawn_size(card))
    try:
        states = _states(Rollouts(envs, interface, stack, "parity", HELD_OUT), config.seed)
        parity = export(path, learner.export(), card, raw(card, states))
        policy = OnnxPolicy(path)
        rollouts = Rollouts(envs, interface, stack, "evaluation", HELD_OUT)
        with tqdm(total=choice.final_episodes, unit=" episodes", desc="final") as bar:
            found = evaluate(Fed(policy), rollouts, choice.final_episodes, bar.update)
    finally:
        envs.close()
    if found.success is not None:
        count = SimulatedSuccess(task.id, found.success.tries, found.success.successes)
        write_card(path, replace(card, success=count))
    run.record("final", progress, found.values)
    write_report(run, progress, found, parity)
    tqdm.write(f"{path}: {found}")
    return found


def _states(rollouts: Rollouts, seed: int) -> Observations:
    """What is seen along some random steps."""
    random, seen = np.random.default_rng(seed), list[Observations]()
    spec = rollouts.envs.interface.action

    def at_random(now: Observations) -> tuple[FloatArray, FloatArray]:
        seen.append(now)
        drawn = random.uniform(spec.low, spec.high, (len(now), len(spec)))
        return drawn.astype(np.float32), np.zeros(len(now), np.float32)

    while sum(map(len, seen)) < STATES:
        list(rollouts.advance(at_random, rollouts.envs.count))
    return Observations(
        {name: torch.cat([one.images[name] for one in seen]) for name in seen[0].images},
        torch.cat([one.proprio for one in seen]),
        torch.cat([one.past_actions for one in seen]),
    )


def provenance(run: Run[TrainConfig]) -> Provenance:
    config = run.config
    return Provenance(
        ", ".join(run.revisions), json.dumps(config.plain()), config.data.logs, config.seed, now()
    )

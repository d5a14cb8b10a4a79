"""Train a policy: offline from logs, online in a gymnasium task, or both.

    python -m policy.train data.logs=[out/log] minutes=45 out=out/grasp

Every choice stands in conf/ and can be changed on the command line; a run that was stopped goes on
when it is started again with the same directory.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import hydra
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig
from tqdm import tqdm

from policy.command import carry_out
from policy.config import APART, TaskConfig, TrainConfig, from_mapping, make_envs, make_learner
from policy.contract import encode
from policy.evaluate import HELD_OUT, Evaluation, evaluate
from policy.experience.replay import RingWriter, Sampler, Source
from policy.finish import finish
from policy.interrupts import held_back
from policy.learners.learner import LOGGED, OWN
from policy.offline import load_logs, open_ring, require_logs
from policy.rollouts import Rollouts
from policy.run import Run
from policy.statistics import Rate
from policy.updates import Updates

RECENT = 200  # episodes that the progress bar's success rate is of
MINUTE = 60.0


class Training:
    """One run under way; what it needs to go on after a stop is in its directory."""

    def __init__(self, config: TrainConfig, directory: Path, stack: ExitStack) -> None:
        self.config, task, data = config, config.task, config.data
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        require_logs(data.logs)
        self.envs = make_envs(task, task.envs, task.processes)
        stack.callback(self.envs.close)
        self.learner = make_learner(config, self.envs.deployment)
        self.run = stack.enter_context(Run(directory, config, self.envs.deployment))
        self.progress = self.run.resume(self.learner)

        def ring(name: str, capacity: int) -> RingWriter:
            return stack.enter_context(open_ring(directory / name, self.envs.interface, capacity))

        # A ring for all logs, or, where each has its share, one for each.
        sources, parts = [], [[log] for log in data.logs] if data.shares else [data.logs]
        for number, logs in enumerate(parts):
            offline = ring(f"offline{number or ''}", data.offline_capacity)
            load_logs(offline, logs, self.envs.deployment)
            # LOGGED: a learner may take what others did with a pinch of salt.
            sources.append(Source(offline, 1.0, data.success_share, kind=LOGGED))
        self.online = ring("online", data.online_capacity)
        sources.append(Source(self.online, 1.0, data.success_share, kind=OWN))
        self.sampler = Sampler(sources, self.learner.draw, config.seed)
        self.sampler.drawn = self.progress.updates
        self.updates = stack.enter_context(
            Updates(self.learner, self.sampler, config.batch, config.device)
        )
        self._rollouts: Rollouts | None = None
        self._evaluated = self._saved = self._reported = self.progress.seconds
        self._owed = 0.0
        self.recent: list[bool] = []

    def train(self) -> None:
        limit, progress = MINUTE * self.config.minutes, self.progress
        total = round(limit) if limit else self.config.offline_updates
        with tqdm(total=total, unit="s" if limit else " updates") as bar:
            while self._offline or progress.seconds < limit:
                begun = time.perf_counter()
                self._advance()
                progress.seconds += time.perf_counter() - begun
                bar.update((round(progress.seconds) if limit else progress.updates) - bar.n)
                if self.recent:
                    told = {"success": f"{self.success.value:.0%}", "grasps": progress.grasps}
                    bar.set_postfix(told, refresh=False)
                self._regularly()
        self._report()

    @property
    def _offline(self) -> bool:
        return self.progress.updates < self.config.offline_updates

    @property
    def success(self) -> Rate:
        """Of the latest episodes, exploration included."""
        return Rate(sum(self.recent), len(self.recent))

    def _advance(self) -> None:
        """Some steps, if it is time for them, and the updates that are due for them."""
        if self._offline:
            self._reshare(0.0)
            self._update()
            return
        self._collect()
        too_early = self.progress.transitions < self.config.first_update
        if too_early or not (self.online.added or self.config.data.logs):
            self._owed = 0.0
            return
        self._reshare(self.config.data.share(self.progress.transitions))
        while self._owed >= 1:
            self._update()
            self._owed -= 1

    def _reshare(self, online: float) -> None:
        weights = self.config.data.shares or (1.0,)
        logged = [(1 - online) * weight / sum(weights) for weight in weights]
        self.sampler.reshare([*logged, online])

    def _collect(self) -> None:
        progress, config = self.progress, self.config
        if self._rollouts is None:
            seed = config.seed * APART + progress.transitions  # resumed, it sees other episodes
            interface, stack = self.learner.interface, self.learner.draw.stack
            self._rollouts = Rollouts(self.envs, interface, stack, "online", seed)
        before = self._rollouts.steps
        for _, episode in self._rollouts.advance(partial(self.learner.act, explore=True)):
            self.online.add(episode)
            progress.grasps += 1
            if episode.success is not None:
                self.recent = [*self.recent[1 - RECENT :], episode.success]
        taken = self._rollouts.steps - before
        progress.transitions += taken
        self._owed += config.updates_per_step * taken

    def _update(self) -> None:
        with held_back():
            self.updates.step(self.progress.updates, self.config.rate(self.progress))
            self.progress.updates += 1

    # Now and then -------------------------------------------------------------------------------

    def _regularly(self) -> None:
        config, now = self.config, self.progress.seconds
        if now - self._reported >= MINUTE:
            self._reported = now
            self._report()
        if now - self._saved >= MINUTE * config.save_minutes:
            self.save()
        if now - self._evaluated >= MINUTE * config.evaluation.every_minutes:
            self._evaluated = now
            self.measure()

    def _report(self) -> None:
        if means := self.updates.means():
            self.run.record("train", self.progress, {**means, "success": self.success.value})

    def save(self) -> None:
        self._saved = self.progress.seconds
        self.run.save(self.learner, self.progress)

    def measure(self) -> None:
        """On episodes that are never trained on; the clock stands still meanwhile."""
        choice, learner = self.config.evaluation, self.learner
        interface, stack = learner.interface, learner.draw.stack
        envs = make_envs(self.config.task, choice.envs, choice.processes)
        # Always the same chance, and none of what training goes on with.
        with closing(envs), torch.random.fork_rng():
            torch.manual_seed(HELD_OUT)
            rollouts = Rollouts(envs, interface, stack, "evaluation", HELD_OUT)
            found = evaluate(partial(learner.act, explore=False), rollouts, choice.episodes)
        self.run.record("evaluation", self.progress, found.values)
        tqdm.write(f"{self.progress.seconds / MINUTE:6.1f} min  {found}")


def train(config: TrainConfig, directory: Path) -> Evaluation:
    """Until it is over; then the policy is exported, and judged as what was exported."""
    with ExitStack() as stack:
        training = Training(config, directory, stack)
        try:
            training.train()
        finally:
            if not training.updates.diverged:
                training.save()  # Ctrl-C, too, loses nothing
        return finish(training.run, training.learner, training.progress)


# Every field by its default, so that each can be set by name, and no other.
FIELDS = encode(TrainConfig(TaskConfig(id="???"), minutes=1.0))
ConfigStore.instance().store(name="fields", node=FIELDS)


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(choices: DictConfig) -> None:
    carry_out(choices, lambda values, directory: train(from_mapping(values), directory))


if __name__ == "__main__":
    main()

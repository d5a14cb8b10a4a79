"""Refine a policy on the robot that it drives: learn from its log as it grows, offer new models.

    python -m policy.finetune start=policy/trained/grasp.safetensors log=LOG out=out/finetune

A process of its own, without ROS. It ends by SIGTERM or Ctrl-C; killed in any other way, too, the
same command goes on from the last checkpoint. What it learns from is in the log, what it has had of
it in its rings, and how far it came beside its weights.
"""

from __future__ import annotations

import json
import logging
import math
import signal
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import hydra
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from policy import export
from policy.command import carry_out
from policy.config import FinetuneConfig, make_learner
from policy.contract import (
    Invalid,
    PolicyCard,
    Provenance,
    View,
    decode_json,
    encode,
)
from policy.contract.files import OFFERS, newest
from policy.experience.replay import Sampler
from policy.learners.learner import Observations
from policy.offers import Offers
from policy.run import Run
from policy.start import read_start
from policy.tail import Tail
from policy.updates import Updates

LOG = logging.getLogger(__name__)
POLL_S = 0.5  # between two looks into the log
WARM_UP = 100  # updates, in which the optimiser learns how large its steps may be
STATES = 32  # that an offer's graph is compared with torch on


class Finetuning:
    """One learner at work; what it needs to go on after a kill is in its directory."""

    def __init__(self, config: FinetuneConfig, directory: Path, stack: ExitStack) -> None:
        self.config = config
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.start = start = read_start(Path(config.start))
        # First, since its rings are locked: another learner here is refused before it changes
        # anything.
        self.tail = Tail(config, directory, start.deployment, stack)
        self.learner = make_learner(replace(start.config, device=config.device), start.deployment)
        self.learner.load_state_dict(start.tensors)
        self.run = stack.enter_context(Run(directory, config, start.deployment))
        self.progress = self.run.resume(self.learner)
        if config.views:
            self.learner.mount(read_views(Path(config.views)))
        # A camera that is elsewhere is worth a model before anything is learnt.
        self.offers = Offers(
            directory / "offers", config.offer_every, config.offers_kept, bool(config.views)
        )
        self.sampler = Sampler(self.tail.sources, self.learner.draw, config.seed)
        self.sampler.drawn = self.progress.updates
        self.updates = stack.enter_context(
            Updates(self.learner, self.sampler, start.config.batch, config.device)
        )
        self.tail.look()
        # Rings that a power cut spoilt may have had more than the log can give again.
        self._gone = max(self.progress.transitions - self.tail.taken, 0)
        self._looked = -math.inf
        self._saved = self._reported = self.progress.seconds
        self._counted = self.progress.updates
        self._stopped = False

    def stop(self, *_: object) -> None:
        """After the update under way; a handler of signals."""
        self._stopped = True

    def work(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopped:
                begun = time.perf_counter()
                if not self.advance():
                    time.sleep(POLL_S)
                self.progress.seconds += time.perf_counter() - begun
        finally:
            if not self.updates.diverged:
                self.save()

    def advance(self) -> bool:
        """Look into the log, if it is time, and make an update, if one is due; whether it was."""
        now = time.perf_counter()
        if now - self._looked >= POLL_S:
            self._looked = now
            self._look()
        due = self.due >= 1
        if due:
            self.sampler.reshare(self.tail.shares)
            warm = min((self.progress.updates + 1) / WARM_UP, 1.0)
            self.updates.step(self.progress.updates, self.config.rate * warm)
            self.progress.updates += 1
        self._regularly()
        return due

    def catch_up(self) -> None:
        """Look into the log now, and make all updates that are due."""
        self._look()
        while self.advance():
            pass

    @property
    def due(self) -> float:
        """Updates that what came in is good for and that were not made yet: reckoned from what is
        on the disk, so that no kill makes them more or fewer."""
        taken = self.progress.transitions
        if taken < self.config.first_update:
            return 0.0
        return self.config.updates_per_step * taken - self.progress.updates

    def _look(self) -> None:
        self.tail.look()
        self.progress.transitions = self.tail.taken + self._gone
        self.progress.grasps = self.tail.episodes

    # Now and then -------------------------------------------------------------------------------

    def _regularly(self) -> None:
        config, seconds = self.config, self.progress.seconds
        if self.progress.transitions and self.offers.due(self.progress.updates):
            self.save()  # first: what was offered is never gone behind
            self.offer()
        if seconds - self._saved >= config.save_seconds:
            self.save()
        if seconds - self._reported >= config.report_seconds:
            self._report()

    def save(self) -> None:
        self._saved = self.progress.seconds
        self.run.save(self.learner, self.progress)

    def _report(self) -> None:
        progress, elapsed = self.progress, self.progress.seconds - self._reported
        rate = (progress.updates - self._counted) / elapsed
        self._reported, self._counted = progress.seconds, progress.updates
        shares = dict(zip(("offline", "online", "shown"), self.tail.shares, strict=True))
        values = {
            **self.updates.means(),
            "updates_per_s": rate,
            "updates_due": max(self.due, 0.0),
            "success": self.tail.success.value,
            **{f"size_{name}": size for name, size in self.tail.sizes.items()},
            **{f"share_{name}": share for name, share in shares.items()},
        }
        latest = newest(self.offers.directory, OFFERS)
        self.run.record("learn", progress, values, offer=latest.name if latest else "")

    def offer(self) -> None:
        """A model for who serves. One that does not compute what the learner does is not offered;
        learning goes on."""
        begun, updates = time.perf_counter(), self.progress.updates
        sampler = Sampler(self.sampler.sources, self.learner.draw, updates)
        seen = Observations.of(sampler.sample(STATES))
        try:
            made = self.offers.make(self.learner.export(), self.card(), seen, updates)
        except Invalid as error:
            LOG.error("no offer after %d updates: %s", updates, error)
            self.run.record("refused", self.progress, {}, problem=str(error))
            return
        values = {**asdict(made.parity), "took_s": time.perf_counter() - begun}
        name, version = made.path.name, made.version
        self.run.record("offer", self.progress, values, offer=name, version=version)

    def card(self) -> PolicyCard:
        """What it is, and all that it was learnt from."""
        config, start, progress = self.config, self.start, self.progress
        told = {
            "finetune": config.plain(),
            "start": start.config.plain(),
            "progress": encode(progress),
        }
        provenance = Provenance(
            ", ".join([*start.revisions, *self.run.revisions]),
            json.dumps(told),
            (*start.config.data.logs, *config.data.logs, config.log),
            config.seed,
            export.now(),
        )
        return export.card_of(start.config.name, self.learner, start.deployment, provenance)


def read_views(path: Path) -> tuple[View, ...]:
    return decode_json(tuple[View, ...], path.read_text(), str(path))


def finetune(config: FinetuneConfig, directory: Path) -> None:
    with ExitStack() as stack:
        finetuning = Finetuning(config, directory, stack)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, finetuning.stop)
        finetuning.work()


# Every field by its default, so that each can be set by name, and no other.
FIELDS = encode(FinetuneConfig(start="???", log="???"))
ConfigStore.instance().store(name="finetune_fields", node=FIELDS)


@hydra.main(version_base="1.3", config_path="conf", config_name="finetune")
def main(choices: DictConfig) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    carry_out(choices, lambda values, out: finetune(FinetuneConfig.of(values), out))


if __name__ == "__main__":
    main()

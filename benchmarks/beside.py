"""A learner beside who plays: it makes all updates that are due, and its models are served."""

from __future__ import annotations

from pathlib import Path

from policy.contract.files import OFFERS, newest
from policy.finetune import Finetuning
from policy.serving.host import Host


class Beside:
    def __init__(self, tuning: Finetuning, host: Host) -> None:
        self._tuning, self._host = tuning, host
        self._served: Path | None = None

    def catch_up(self) -> None:
        """Between two episodes; the next one is played by what was offered last."""
        self._tuning.catch_up()
        latest = newest(self._tuning.offers.directory, OFFERS)
        if latest is not None and latest != self._served:
            self._host.offer(latest).result()
            self._served = latest

    def last(self) -> Path | None:
        """What was learnt by the end; None if nothing ever was."""
        if self._tuning.progress.updates:
            self._tuning.offer()
        return newest(self._tuning.offers.directory, OFFERS)

"""A run's directory: what it was told, where it is, what it measured, and what came of it.

config.json  deployment.json    what was asked for, and for which cell
checkpoint.safetensors          everything a resumed run needs
offline/  online/               replay rings
metrics.jsonl  events.*         a line, and TensorBoard's events, for each measurement
report.md  curves.png           at the end
policy.onnx                     what to put on the robot
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.tensorboard import SummaryWriter

from policy.checkpoint import read_checkpoint, write_checkpoint
from policy.config import TrainConfig, plain
from policy.contract import ContractError, Deployment, differences, encode
from policy.contract.files import write_atomic
from policy.learners.learner import Learner
from policy.progress import Progress

if TYPE_CHECKING:
    from typing_extensions import Self

CHECKPOINT, CONFIG, METRICS = "checkpoint.safetensors", "config.json", "metrics.jsonl"
UNIMPORTANT = ("minutes", "save_minutes", "threads", "evaluation")  # may differ when continued


class Run:
    def __init__(self, directory: Path, config: TrainConfig, deployment: Deployment) -> None:
        self.directory, self.config, self.deployment = directory, config, deployment
        directory.mkdir(parents=True, exist_ok=True)
        self._require_same(directory / CONFIG, plain(config))
        for name, value in ((CONFIG, plain(config)), ("deployment.json", encode(deployment))):
            text = json.dumps(value, indent=1) + "\n"
            write_atomic(directory / name, text.encode())
        self._metrics = (directory / METRICS).open("a")
        self._board = SummaryWriter(str(directory))

    def _require_same(self, path: Path, asked: dict[str, Any]) -> None:
        """A directory holds one run: it may be continued for longer, not as another."""
        if not path.exists():
            return
        before = json.loads(path.read_text())
        ours, theirs = (
            {k: v for k, v in one.items() if k not in UNIMPORTANT} for one in (asked, before)
        )
        if problems := list(differences(ours, theirs, "choose another directory for this run")):
            raise ContractError(f"{self.directory}: holds a run of its own", problems)

    def resume(self, learner: Learner) -> Progress:
        """From the checkpoint, if there is one."""
        path = self.directory / CHECKPOINT
        if not path.exists():
            return Progress()
        tensors, values = read_checkpoint(path)
        learner.load_state_dict(tensors)
        return Progress(**values)

    def save(self, learner: Learner, progress: Progress) -> None:
        write_checkpoint(self.directory / CHECKPOINT, learner.state_dict(), encode(progress))

    def record(self, kind: str, progress: Progress, values: Mapping[str, float]) -> None:
        known = {name: value for name, value in values.items() if math.isfinite(value)}
        line = {"kind": kind, **encode(progress), **known}
        self._metrics.write(json.dumps(line) + "\n")
        self._metrics.flush()
        for name, value in known.items():
            self._board.add_scalar(f"{kind}/{name}", value, progress.updates)

    def measured(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in recorded(self.directory) if line["kind"] == kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._metrics.close()
        self._board.close()


def recorded(directory: Path) -> list[dict[str, Any]]:
    """All that was measured in a run."""
    return [json.loads(line) for line in (directory / METRICS).read_text().splitlines()]

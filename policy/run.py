"""A run's directory: what it was told, where it is, what it measured, and what came of it.

config.json  deployment.json    what was asked for, and for which cell
revisions.json                  of the code that trained
checkpoint.safetensors          everything a resumed run needs
offline/  online/               replay rings
metrics.jsonl  events.*         a line, and TensorBoard's events, for each measurement
report.md  curves.png           at the end
policy.onnx                     what to put on the robot
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from policy.checkpoint import read_checkpoint, write_checkpoint
from policy.contract import ContractError, Deployment, differences, encode
from policy.contract.files import METRICS, sweep, write_atomic
from policy.progress import Progress

if TYPE_CHECKING:
    from typing_extensions import Self

CHECKPOINT, CONFIG = "checkpoint.safetensors", "config.json"
DEPLOYMENT, REVISIONS = "deployment.json", "revisions.json"
# May differ when a run is continued: of what it learns, nothing.
UNIMPORTANT = (
    *("minutes", "save_minutes", "threads", "evaluation"),
    *("save_seconds", "report_seconds", "offer_every", "offers_kept", "views"),
    *("qtopt.policy_cem", "qtopt.mirrored"),
    *("updates", "report_every", "show_every"),
)


class Configuration(Protocol):
    def plain(self) -> dict[str, Any]: ...


class Learning(Protocol):
    """What has a state of tensors alone: a learner, or a translator."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...


C = TypeVar("C", bound=Configuration)


class Run(Generic[C]):
    def __init__(self, directory: Path, config: C, deployment: Deployment) -> None:
        self.directory, self.config, self.deployment = directory, config, deployment
        directory.mkdir(parents=True, exist_ok=True)
        told = {CONFIG: config.plain(), DEPLOYMENT: encode(deployment)}
        self._require_same(told)
        known: list[str] = self._told(REVISIONS) or []
        now = git_revision()
        self.revisions = known if known[-1:] == [now] else [*known, now]
        for name, value in {**told, REVISIONS: self.revisions}.items():
            write_atomic(directory / name, (json.dumps(value, indent=1) + "\n").encode())
        self._metrics = (directory / METRICS).open("a")
        self._board = SummaryWriter(str(directory))

    def _told(self, name: str) -> Any:
        path = self.directory / name
        return json.loads(path.read_text()) if path.exists() else None

    def _require_same(self, asked: Mapping[str, dict[str, Any]]) -> None:
        """A directory holds one run: it may be continued for longer, not as another."""
        problems = []
        for name, value in asked.items():
            ours, theirs = (important(one) for one in (value, self._told(name) or value))
            problems += differences(ours, theirs, "choose another directory for this run")
        if problems:
            raise ContractError(f"{self.directory}: holds a run of its own", problems)

    def resume(self, learner: Learning) -> Progress:
        """From the checkpoint, if there is one. What was measured after it did not happen."""
        sweep(self.directory)
        path, progress = self.directory / CHECKPOINT, Progress()
        if path.exists():
            tensors, values = read_checkpoint(path)
            learner.load_state_dict(tensors)
            progress = Progress(**values)
        kept = [one for one in recorded(self.directory) if one["seconds"] <= progress.seconds]
        self._metrics.close()
        write_atomic(self.directory / METRICS, "".join(map(_line, kept)).encode())
        self._metrics = (self.directory / METRICS).open("a")
        return progress

    def save(self, learner: Learning, progress: Progress) -> None:
        write_checkpoint(self.directory / CHECKPOINT, learner.state_dict(), encode(progress))

    def record(
        self, kind: str, progress: Progress, values: Mapping[str, float], **words: str
    ) -> None:
        known = {name: value for name, value in values.items() if math.isfinite(value)}
        self._metrics.write(_line({"kind": kind, **encode(progress), **known, **words}))
        self._metrics.flush()
        for name, value in known.items():
            self._board.add_scalar(f"{kind}/{name}", value, progress.updates)

    def show(self, name: str, progress: Progress, picture: npt.NDArray[np.uint8]) -> None:
        """An RGB picture, for TensorBoard."""
        self._board.add_image(name, picture, progress.updates, dataformats="HWC")

    def measured(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in recorded(self.directory) if line["kind"] == kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._metrics.close()
        self._board.close()


def important(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """What a run was told, without what may differ when it is continued."""
    return {
        name: important(value, f"{above}{name}.") if isinstance(value, Mapping) else value
        for name, value in config.items()
        if f"{above}{name}" not in UNIMPORTANT
    }


def recorded(directory: Path) -> list[dict[str, Any]]:
    """All that was measured in a run."""
    return [json.loads(line) for line in (directory / METRICS).read_text().splitlines()]


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values) + "\n"


def git_revision() -> str:
    """Of this checkout; marked when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()

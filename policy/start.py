"""What a learner goes on from: the directory of a run, or a file of weights that comes along with
an exported policy.

    python -m policy.start out/grasp policy/trained/grasp.safetensors   # make such a file

The file holds the critic that the policy searches, and what is needed to build a learner around it:
no replay, no moments of the optimiser; targets begin as its equals.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from policy.checkpoint import read_checkpoint, read_tensors, reading
from policy.config import TrainConfig, from_mapping
from policy.contract import ContractError, Deployment, Invalid, decode
from policy.contract.files import write_atomic
from policy.run import CHECKPOINT, CONFIG, DEPLOYMENT, REVISIONS

POLICY = "target."  # of QT-Opt's networks, the one that acts
NETWORKS = ("critic.", "target.", "lagged.")
TOLD = (CONFIG, DEPLOYMENT, REVISIONS)
KIND = "a file of policy.start"


@dataclass(frozen=True)
class Start:
    """`tensors` are a learner's whole state."""

    config: TrainConfig
    deployment: Deployment
    revisions: tuple[str, ...]  # of the code that trained so far
    tensors: Mapping[str, Tensor]


def read_start(path: Path) -> Start:
    if path.is_dir():
        tensors, _ = read_checkpoint(path / CHECKPOINT)
        told = {name: json.loads((path / name).read_text()) for name in TOLD}
        return _start(told, tensors, path)
    if not path.exists():
        remedy = "name a run's directory, or make the file by `python -m policy.start`"
        raise Invalid("start", str(path), "a file or a directory that exists", remedy)
    with reading(path, KIND):
        weights, texts = read_tensors(path)
        told = {name: json.loads(texts[name]) for name in TOLD}
    state = {prefix + name: weight for name, weight in weights.items() for prefix in NETWORKS}
    return _start(told, {**state, "updates": torch.tensor(0)}, path)


def _start(told: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> Start:
    return Start(
        from_mapping(told[CONFIG]),
        decode(Deployment, told[DEPLOYMENT], f"{path}: deployment"),
        tuple(decode(list[str], told[REVISIONS], f"{path}: revisions")),
        tensors,
    )


def write_start(run: Path, path: Path) -> None:
    """Of a run of QT-Opt."""
    start = read_start(run)
    if start.config.learner != "qtopt":
        remedy = "go on from the run's directory itself"
        raise Invalid("learner", start.config.learner, "qtopt", remedy)
    weights = {
        name.removeprefix(POLICY): weight.contiguous()
        for name, weight in start.tensors.items()
        if name.startswith(POLICY)
    }
    write_atomic(path, save(weights, metadata={name: (run / name).read_text() for name in TOLD}))


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m policy.start", description=__doc__)
    top.add_argument("run", type=Path, help="a run's directory")
    top.add_argument("file", type=Path, help="what to write")
    a = top.parse_args(argv)
    try:
        write_start(a.run, a.file)
    except (ContractError, Invalid, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

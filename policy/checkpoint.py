"""A run's state in one file: tensors by name and a few plain values, nothing that is executed when
it is read, and the old file intact until the new one is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from policy.contract import ContractError, Problem
from policy.contract.files import write_atomic

RANDOM = "random"  # torch's generator, so that a resumed run draws what the first would have


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    state[RANDOM] = torch.get_rng_state()
    write_atomic(path, save(state, metadata={"values": json.dumps(dict(values))}))


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and values, and torch's generator set to where it was."""
    with reading(path, "a checkpoint of policy.train"):
        state, told = read_tensors(path)
        values = json.loads(told["values"])
        torch.set_rng_state(state.pop(RANDOM))
    return state, values


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All there are, and what is told beside them; for use within `reading`."""
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, file.metadata() or {}


@contextmanager
def reading(path: Path, wanted: str) -> Iterator[None]:
    """Say of a file that is not what was `wanted` that it is not."""
    try:
        yield
    except (SafetensorError, KeyError, json.JSONDecodeError, RuntimeError) as error:
        remedy = (
            f"copy it again, or begin the run anew: it is truncated or of another kind ({error})"
        )
        problem = Problem("file", path.name, wanted, remedy)
        raise ContractError(str(path), [problem]) from None

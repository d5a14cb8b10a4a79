"""A checkpoint comes back whole or is refused, and says nothing but numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from policy.checkpoint import read_checkpoint, write_checkpoint
from policy.contract import ContractError

TENSORS = {"critic.weight": torch.arange(6.0).view(2, 3), "updates": torch.tensor(7)}


def test_comes_back_with_the_generator_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    write_checkpoint(path, TENSORS, {"grasps": 12, "seconds": 1.5})
    wanted = torch.rand(3)
    tensors, values = read_checkpoint(path)
    assert torch.equal(torch.rand(3), wanted)
    assert values == {"grasps": 12, "seconds": 1.5}
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_a_torn_or_foreign_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    write_checkpoint(path, TENSORS, {})
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"not a checkpoint", content[:20]):
        path.write_bytes(damaged)
        with pytest.raises(ContractError, match=r"file: found 'checkpoint.safetensors', wanted a"):
            read_checkpoint(path)

"""A policy must agree with itself before it takes over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import INTERFACE
from graphs import actor_policy, look, search_policy

from policy.contract import ContractError
from policy.feed import check_feed, tensors
from policy.runtime import OnnxPolicy
from policy.serving.parity import made_up, require_parity, stack

SEEN = [look(b, proprio=np.array([0.01, 0.1], np.float32)) for b in (0, 90, 200)]


def test_sound_policies_agree_with_themselves(tmp_path: Path) -> None:
    for path in (search_policy(tmp_path / "search.onnx"), actor_policy(tmp_path / "actor.onnx")):
        policy = OnnxPolicy(path)
        require_parity(policy, SEEN)
        require_parity(policy, made_up(INTERFACE, 1, 4))


@pytest.mark.parametrize(
    ("moved", "field"), [("by chance", "parity.seed"), ("by company", "parity.batch")]
)
def test_a_policy_that_does_not_is_refused(moved: str, field: str, tmp_path: Path) -> None:
    policy = OnnxPolicy(actor_policy(tmp_path / "actor.onnx", moved))
    with pytest.raises(ContractError) as caught:
        require_parity(policy, SEEN)
    assert any(problem.field.startswith(field) for problem in caught.value.problems)


def test_made_up_observations_fit() -> None:
    for frames in (1, 3):
        observations = made_up(INTERFACE, frames, 5)
        assert check_feed(tensors(INTERFACE, frames), stack(observations)) == 5
        assert len({one["front"].tobytes() for one in observations}) == 5

"""One file that does all that torch does, or no file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from policy.cem import CemConfig
from policy.contract import (
    ActionEntry,
    ActionSpec,
    Deployment,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    PolicyCard,
    Preprocessing,
    Provenance,
)
from policy.export import export, feed_of
from policy.learners.drqv2 import DrQv2, DrQv2Config
from policy.learners.learner import Learner, Observations
from policy.learners.qtopt import QTOpt, QTOptConfig
from policy.networks.acting import PolicyModule
from policy.networks.critic import CriticConfig
from policy.networks.drqv2 import Sizes
from policy.networks.heads import HeadConfig, Kind
from policy.runtime import OnnxPolicy

RAW = Interface(
    ObservationSpec((ImageSpec("front", 48, 64),), (Entry("height", "m", 0.0, 0.3),)),
    ActionSpec(
        (
            ActionEntry("dx", "m", -0.04, 0.04),
            ActionEntry("close", "1", 0.0, 1.0, threshold=0.5),
        )
    ),
    0.2,
)
DEPLOYMENT = Deployment("bench", RAW, (Preprocessing("front", (0, 8, 48, 48), (32, 32)),))
SEARCH = QTOptConfig(
    critic=CriticConfig(norm="layer", width=8, hidden=32), cem=CemConfig(samples=16, elites=4)
)


def make_card(stack: int = 1) -> PolicyCard:
    origin = Provenance("0" * 40, "{}", (), 0, "2026-11-21")
    steps = DEPLOYMENT.preprocessing
    return PolicyCard("grasp", "bench", RAW, steps, origin, stack=stack)


def states(count: int, stack: int = 1) -> Observations:
    random = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (count, stack, 48, 64, 3), dtype=torch.uint8, generator=random)
    proprio = 0.3 * torch.rand(count, 1, generator=random)
    past = torch.rand(count, 2, 2, generator=random) * 0.04
    return Observations({"front": frames}, proprio, past)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> OnnxPolicy:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("export") / "policy.onnx"
    export(path, QTOpt(DEPLOYMENT.seen, SEARCH).export(), make_card(), states(4))
    return OnnxPolicy(path)


@pytest.mark.parametrize("kind", ["sigmoid", "hl_gauss", "q2r", "q2f"])
def test_the_search_is_in_the_file(tmp_path: Path, kind: Kind) -> None:
    torch.manual_seed(0)
    head = HeadConfig(kind=kind, quantiles=10, samples=8, cosines=8)
    learner = QTOpt(DEPLOYMENT.seen, replace(SEARCH, critic=replace(SEARCH.critic, head=head)))
    path = tmp_path / "policy.onnx"
    parity = export(path, learner.export(), make_card(), states(12))
    assert parity.states == 12
    assert parity.value_error < 1e-5
    assert parity.same_actions > 0.8
    policy = OnnxPolicy(path)
    assert policy.card == make_card()
    decision = policy.act(feed_of(policy.card, states(3)), seeds=[1, 2, 3])
    again = policy.act(feed_of(policy.card, states(3)), seeds=[1, 2, 3])
    np.testing.assert_array_equal(decision.action, again.action)
    assert set(decision.action[:, 1]) <= {0.0, 1.0}


def test_a_file_does_not_tell_where_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    export(path, QTOpt(DEPLOYMENT.seen, SEARCH).export(), make_card(), states(2))
    assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()


def test_an_actor_goes_through_the_same_door(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = Sizes(stack=3, features=8, hidden=16)
    learner: Learner = DrQv2(DEPLOYMENT.seen, DrQv2Config(sizes=sizes))
    path = tmp_path / "actor.onnx"
    parity = export(path, learner.export(), make_card(stack=3), states(5, stack=3))
    assert (parity.same_actions, parity.states) == (1.0, 5)
    policy = OnnxPolicy(path)
    inputs = {one.name for one in onnx.load(str(path)).graph.input}
    assert inputs == {"front", "proprio", "past_actions", "limits"}
    policy.act(feed_of(policy.card, states(2, stack=3)))


def test_limits_of_the_moment_are_kept_to_the_last_bit(exported: OnnxPolicy) -> None:
    limits = np.array([[[0.013, 0.0], [0.0137, 0.0]]], np.float32).repeat(4, axis=0)
    decision = exported.act(feed_of(exported.card, states(4)), limits, seeds=range(4))
    assert (decision.action >= limits[:, 0]).all()
    assert (decision.action <= limits[:, 1]).all()
    assert (decision.action[:, 1] == 0).all()  # closing was not allowed


def test_preprocessing_is_in_the_graph(exported: OnnxPolicy) -> None:
    """What lies outside the crop changes nothing."""
    seen = states(4)
    first = exported.act(feed_of(exported.card, seen), seeds=range(4))
    seen.images["front"][:, :, :, :8] = 255
    seen.images["front"][:, :, :, 56:] = 0
    second = exported.act(feed_of(exported.card, seen), seeds=range(4))
    np.testing.assert_array_equal(first.q, second.q)


class Broken(PolicyModule):
    """A policy whose value is something else in every call."""

    def forward(
        self,
        images: torch.Tensor,
        proprio: torch.Tensor,
        past_actions: torch.Tensor,
        limits: torch.Tensor,
        noise: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        drift = 0.0 if torch.compiler.is_exporting() else 0.5
        return limits[:, 1], images.mean((1, 2, 3)) + proprio.sum(1) + past_actions.sum(
            (1, 2)
        ) + drift


def test_a_graph_that_disagrees_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    path.write_bytes(b"the one before")
    with pytest.raises(Invalid, match=r"parity.value_error: found 0\.5.*wanted at most 0.001"):
        export(path, Broken(), make_card(), states(4))
    assert path.read_bytes() == b"the one before"


class Worse(PolicyModule):
    """What it exports falls short of what it says: where proprioception is this much or more, or
    where the noise is, as a near-tie does."""

    noise = (1,)

    def __init__(self, proprio: float = torch.inf, noise: float = torch.inf) -> None:
        super().__init__()
        self.least = proprio, noise

    def forward(
        self,
        images: torch.Tensor,
        proprio: torch.Tensor,
        past_actions: torch.Tensor,
        limits: torch.Tensor,
        noise: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert noise is not None
        action = limits[:, 1] + 0.0 * (images.mean((1, 2, 3)) + past_actions.sum((1, 2)))[:, None]
        short = 0.01 if torch.compiler.is_exporting() else 0.0
        action = action - short * ((proprio >= self.least[0]) | (noise >= self.least[1]))
        return action, action.sum(1)


def test_a_near_tie_falls_the_other_way_with_one_draw_of_noise_alone(tmp_path: Path) -> None:
    parity = export(tmp_path / "policy.onnx", Worse(noise=1.5), make_card(), states(40))
    assert 0.8 < parity.same_actions < 1
    assert parity.regret < 1e-5


def test_a_search_that_is_worse_in_one_state_is_refused(tmp_path: Path) -> None:
    seen, path = states(40), tmp_path / "policy.onnx"
    with pytest.raises(Invalid, match=r"parity.regret: found 0\.0[12].*wanted at most 0.001"):
        export(path, Worse(proprio=float(seen.proprio.max())), make_card(), seen)
    assert not path.exists()


def test_the_card_says_what_it_was_trained_for(exported: OnnxPolicy) -> None:
    assert exported.card.interface.observation.images[0].shape == (48, 64, 3)
    assert exported.card.preprocessing == DEPLOYMENT.preprocessing

"""One file that paints and decides, as a translator and a policy do one after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paired_rooms import write_pairs
from two_rooms import APERTURE, SIZE, SPEC, write_room

from policy import config as policies
from policy.contract import (
    Deployment,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    PolicyCard,
    Preprocessing,
    Provenance,
)
from policy.feed import Array
from policy.learners.learner import Learner
from policy.networks.acting import PolicyModule
from policy.networks.reduce import Reduce
from policy.progress import Progress
from policy.run import Run
from policy.runtime import CPU, OnnxPolicy
from policy.start import read_start
from sim2real.config import from_mapping, read_translator
from sim2real.fuse import behind, fuse, main
from sim2real.rcan import Rcan
from sim2real.train import train

RAW = Interface(ObservationSpec((ImageSpec("front", 24, 32),), (APERTURE,)), SPEC, 0.2)
CELL = Deployment("bench", RAW, (Preprocessing("front", (0, 4, 24, 24), (SIZE, SIZE)),))
NETWORKS = {"width": 4, "discriminator_width": 4, "discriminator_layers": 1, "across": True}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RCAN after a few updates, colours, an untrained policy, and the cell's raw log."""
    torch.manual_seed(0)
    directory = tmp_path_factory.mktemp("runs")
    write_pairs(directory / "sim")
    write_room(directory / "small", "cell")
    write_room(directory / "cell", "cell", raw=True)
    logs = {"sim": str(directory / "sim"), "cell": str(directory / "small")}
    for name in ("rcan", "colour"):
        choices = {"translator": name, "name": name, "networks": NETWORKS, "updates": 20}
        train(from_mapping({**logs, **choices, "size": SIZE}), directory / name)
    start(directory / "policy", CELL)
    return directory


def start(directory: Path, deployment: Deployment) -> Learner:
    search = {"iterations": 1, "samples": 16, "elites": 4}
    critic = {"norm": "layer", "width": 8, "hidden": 16}
    qtopt = {"critic": critic, "cem": search, "policy_cem": search}
    values: dict[str, Any] = {"task": {"id": "x"}, "name": "grasp", "minutes": 1.0}
    choices = policies.from_mapping({**values, "qtopt": qtopt})
    learner = policies.make_learner(choices, deployment)
    with Run(directory, choices, deployment) as run:
        run.save(learner, Progress())
    return learner


def test_one_file_does_what_both_do(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "fused.onnx"
    parity = fuse(runs / "rcan", runs / "policy", runs / "cell", path)
    assert (parity.states, parity.value_error < 1e-4) == (32, True)
    fused = OnnxPolicy(path, [CPU])
    assert fused.interface == RAW
    assert fused.card.preprocessing == CELL.preprocessing
    random = np.random.default_rng(0)
    feed: dict[str, Array] = {
        "front": random.integers(0, 256, (8, 24, 32, 3), np.uint8),
        "proprio": random.uniform(0, 0.08, (8, 1)).astype(np.float32),
        "past_actions": np.zeros((8, 2, 1), np.float32),
    }
    begun = read_start(runs / "policy")
    learner = policies.make_learner(begun.config, CELL)
    learner.load_state_dict(begun.tensors)
    policy = learner.export()
    noise = random.standard_normal((8, *policy.noise), np.float32)
    found = fused.act(feed, noise=noise)
    _, rcan = read_translator(runs / "rcan")
    pictures = Reduce(CELL.preprocessing[0])(torch.from_numpy(feed["front"]))
    painted = (rcan.translate(2 * pictures - 1) + 1) / 2
    assert (painted - pictures).abs().mean() > 0.01
    limits = torch.from_numpy(np.stack([SPEC.low, SPEC.high])).expand(8, -1, -1)
    state = (torch.from_numpy(feed[name]) for name in ("proprio", "past_actions"))
    with torch.no_grad():
        action, value = policy(painted, *state, limits, torch.from_numpy(noise))
    np.testing.assert_allclose(found.q, value.numpy(), atol=1e-5)
    same = np.abs(found.action - action.numpy()) < 1e-5
    assert same.mean() > 0.8  # near-ties of a search may fall either way


class Looking(PolicyModule):
    """A policy whose value is what it sees, channel by channel."""

    def forward(
        self,
        images: torch.Tensor,
        proprio: torch.Tensor,
        past_actions: torch.Tensor,
        limits: torch.Tensor,
        noise: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return limits[:, 0], images.mean((2, 3))


def test_of_many_pictures_only_the_cameras_own_are_painted(runs: Path) -> None:
    """Two frames of each, oldest first, after another camera's depth."""
    images = (ImageSpec("depth", SIZE, SIZE, 1, (0.2, 2.0)), ImageSpec("front", SIZE, SIZE))
    seen = Deployment.as_seen("bench", Interface(ObservationSpec(images), SPEC, 0.2))
    origin = Provenance("", "", (), 0, "")
    card = PolicyCard("x", "bench", seen.interface, seen.preprocessing, origin, stack=2)
    _, rcan = read_translator(runs / "rcan")
    assert isinstance(rcan, Rcan)
    shown = torch.rand(3, 2 + 6, SIZE, SIZE)
    nothing = torch.zeros(3, 0)
    limits = torch.zeros(3, 2, 1)
    _, found = behind(rcan, Looking(), card, "front", SIZE)(shown, nothing, nothing, limits, None)
    for first in (2, 5):
        painted = (rcan.translate(2 * shown[:, first : first + 3] - 1) + 1) / 2
        torch.testing.assert_close(found[:, first : first + 3], painted.mean((2, 3)))
    torch.testing.assert_close(found[:, :2], shown[:, :2].mean((2, 3)))


def test_what_does_not_fit_is_named(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fused.onnx"
    policy, cell = runs / "policy", runs / "cell"
    with pytest.raises(Invalid, match="translator: found 'colour', wanted rcan"):
        fuse(runs / "colour", policy, cell, path)
    [image], [step] = RAW.observation.images, CELL.preprocessing
    seen = replace(RAW.observation, images=(replace(image, name="wrist"),))
    other = replace(RAW, observation=seen)
    start(tmp_path / "wrist", Deployment("b", other, (replace(step, image="wrist"),)))
    with pytest.raises(Invalid, match="policy's cameras: found 'wrist', wanted front"):
        fuse(runs / "rcan", tmp_path / "wrist", cell, path)
    start(tmp_path / "larger", Deployment("b", RAW, (replace(step, size=(24, 24)),)))
    with pytest.raises(Invalid, match="policy's size: found '24x24', wanted 16x16"):
        fuse(runs / "rcan", tmp_path / "larger", cell, path)
    (tmp_path / "empty").mkdir()
    arguments = [str(runs / "rcan"), str(policy), str(tmp_path / "empty"), str(path)]
    assert main(arguments) == 2
    assert "log: found 'no episode in" in capsys.readouterr().err
    assert not path.exists()

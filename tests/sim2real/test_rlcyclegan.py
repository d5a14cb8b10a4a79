"""What RL-CycleGAN adds to a CycleGAN: what actions are worth is kept, and learnt on both sides."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from grasping_rooms import SIDE, write_grasps

from policy.cem import CemConfig
from policy.contract import Invalid
from policy.learners.learner import Observations
from policy.learners.qtopt import QTOptConfig
from policy.networks.critic import CriticConfig
from sim2real.cyclegan import CycleConfig
from sim2real.data import as_tensor
from sim2real.networks import NetworkConfig
from sim2real.reading import interface_of, read_unpaired
from sim2real.rlcyclegan import RLCycleGan, SceneConfig, worth
from sim2real.transitions import Plays

NETWORKS = NetworkConfig(width=4, blocks=1, discriminator_width=4, discriminator_layers=1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    for room in ("sim", "cell"):
        write_grasps(directory / room, room)
    return directory


def q_config() -> QTOptConfig:
    return QTOptConfig(
        CriticConfig(width=8, hidden=32),
        CemConfig(samples=8, elites=2),
        n_step=2,
        optimizer="adam",
        learning_rate=3e-3,
        polyak=0.9,
        lag=5,
    )


def begun(logs: Path, scene: float, seed: int = 0) -> tuple[RLCycleGan, Plays]:
    torch.manual_seed(seed)
    interface = interface_of(logs / "sim", "front", SIDE).interface
    config = SceneConfig(scene, q_config())
    made = RLCycleGan(NETWORKS, CycleConfig(), config, SIDE, CPU, interface)
    data, _ = read_unpaired(logs / "sim", logs / "cell", "front", SIDE)
    return made, Plays(data, "front", made.draw)


def test_both_critics_learn_what_succeeds(logs: Path) -> None:
    made, plays = begun(logs, 10.0)
    told = [made.play(*plays.draw(8)) for _ in range(30)]
    for q in ("q_sim.loss", "q_cell.loss"):
        assert sum(one[q] for one in told[-5:]) < 0.9 * sum(one[q] for one in told[:5])
    assert {made.q_sim.updates, made.q_cell.updates} == {30}


def test_the_scenes_loss_moves_pictures_and_not_critics(logs: Path) -> None:
    made, plays = begun(logs, 100.0)
    sim, cell = plays.draw(4)
    x, y = (as_tensor(one.images["front"][:, 0].numpy()) for one in (sim, cell))
    before = {name: value.clone() for name, value in made.state_dict().items()}
    made._step(x, y, partial(made._scene, sim, cell))
    now = made.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(now[name], before[name])}
    assert {"cell", "sim"} <= moved
    assert not {"q_sim", "q_cell"} & moved
    shown = x.requires_grad_()
    torch.autograd.backward(worth(made.q_sim, sim, shown).sum())
    assert shown.grad is not None
    assert shown.grad.abs().max() > 0
    for q in (made.q_sim, made.q_cell):
        for network in (q.critic, q.target, q.lagged):
            assert all(weight.grad is None for weight in network.parameters())


def test_a_critic_asked_here_says_what_the_learner_does(logs: Path) -> None:
    """The value of the action that its own search has found."""
    made, plays = begun(logs, 1.0)
    batch, _ = plays.draw(4)
    action, value = made.q_sim.act(Observations.of(batch), explore=False)
    asked = replace(batch, action=torch.from_numpy(action))
    with torch.no_grad():
        found = worth(made.q_sim, asked, as_tensor(batch.images["front"][:, 0].numpy()))
    torch.testing.assert_close(found, torch.from_numpy(value), rtol=1e-3, atol=1e-4)


def apart(made: RLCycleGan, plays: Plays) -> float:
    """What is done in states is worth here, and in translations of them there."""
    torch.manual_seed(5)
    batch, _ = plays.draw(64)
    shown = as_tensor(batch.images["front"][:, 0].numpy())
    with torch.no_grad():
        there = made.cell.paint(shown)
        off = worth(made.q_sim, batch, shown) - worth(made.q_cell, batch, there)
    return float(off.square().mean())


def test_with_its_weight_values_stay_nearer(logs: Path) -> None:
    """In all of a few runs together: chance, and how a processor rounds, has its part in each."""
    totals = []
    for weight in (0.0, 1000.0):
        total = 0.0
        for seed in range(3):
            made, plays = begun(logs, weight, seed)
            for _ in range(10):
                made.play(*plays.draw(8))
            total += apart(made, plays)
        totals.append(total)
    assert totals[1] < 0.85 * totals[0]


def test_its_state_is_all_of_it(logs: Path) -> None:
    made, plays = begun(logs, 1.0)
    for _ in range(2):
        made.play(*plays.draw(4))
    again, _ = begun(logs, 1.0)
    again.load_state_dict(made.state_dict())
    for one in (made, again):
        torch.manual_seed(1)
        one.play(*plays.draw(4))
    theirs = again.state_dict()
    assert made.state_dict().keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in made.state_dict().items())


def test_a_critic_must_be_shown_the_frame() -> None:
    hand = QTOptConfig(CriticConfig(shown="hand"))
    with pytest.raises(Invalid, match=r"q\.critic\.shown: found 'hand', wanted frame"):
        SceneConfig(q=hand)

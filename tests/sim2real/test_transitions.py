"""Batches of what a domain's pictures show are those that a replay would give."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from grasping_rooms import SIDE, write_grasps

from policy.contract import ActionEntry, Invalid
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Draw, Sampler, Source
from sim2real.data import Domain
from sim2real.reading import read_domain, read_unpaired
from sim2real.transitions import Plays, Transitions

DRAW = Draw(n_step=3, discount=0.9, window=2, truncation_ends=True)


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    log = tmp_path_factory.mktemp("log")
    write_grasps(log, "sim")
    return read_domain("sim", log, "front", SIDE).train


@pytest.mark.parametrize("draw", [DRAW, replace(DRAW, n_step=1, truncation_ends=False)])
def test_they_are_a_replays(domain: Domain, tmp_path: Path, draw: Draw) -> None:
    """Drawn from a ring of the same episodes, and found again by their pictures."""
    log = Transitions(domain, "front", draw)
    interface = domain.logged[0].info.interface
    [front, _] = interface.observation.images
    seen = replace(interface.observation, images=(front,))
    begin = 0
    with RingWriter.create(tmp_path / "ring", replace(interface, observation=seen), 200) as ring:
        for episode in domain.logged:
            end = begin + len(episode) + 1
            ring.add(replace(episode, images={"front": domain.pictures[begin:end]}))
            begin = end
        drawn = Sampler([Source(ring)], draw).sample(64)
    frames = drawn.images["front"][:, 0].numpy()
    rows = [int((domain.pictures == one).all((1, 2, 3)).argmax()) for one in frames]
    ours = log.batch(rows)
    for part in fields(drawn):
        wanted, found = getattr(drawn, part.name), getattr(ours, part.name)
        if isinstance(wanted, torch.Tensor):
            torch.testing.assert_close(found, wanted)
        else:
            torch.testing.assert_close(found["front"], wanted["front"])


def test_in_a_final_state_nothing_was_done(domain: Domain) -> None:
    log = Transitions(domain, "front", DRAW)
    final = len(domain.logged[0])
    assert final not in log.every
    assert len(log.every) == sum(len(one) for one in domain.logged)
    last = log.batch([final])
    assert torch.equal(last.action, log.batch([final - 1]).action)
    assert last.discount.tolist() == [0]


def test_both_sides_are_drawn_and_must_be_of_one_kind(tmp_path: Path) -> None:
    for room in ("sim", "cell"):
        write_grasps(tmp_path / room, room)
    data, _ = read_unpaired(tmp_path / "sim", tmp_path / "cell", "front", SIDE)
    sim, cell = Plays(data, "front", DRAW).draw(5)
    assert len(sim.reward) == len(cell.reward) == 5
    assert sim.images["front"].float().mean() < cell.images["front"].float().mean()
    first = data.cell.logged[0]
    other = replace(first.info.interface.action, entries=(ActionEntry("dx", "m", -1, 1),))
    info = replace(first.info, interface=replace(first.info.interface, action=other))
    odd = replace(data.cell, logged=(replace(first, info=info), *data.cell.logged[1:]))
    with pytest.raises(Invalid, match="logs: found '2 kinds of action and proprioception'"):
        Plays(replace(data, cell=odd), "front", DRAW)


def test_nothing_is_rounded_on_the_way(domain: Domain) -> None:
    batch = Transitions(domain, "front", DRAW).batch([0, 1])
    assert np.array_equal(batch.proprio.numpy(), domain.logged[0].proprio[:2])
    assert np.array_equal(batch.action.numpy(), domain.logged[0].executed[1:3])

"""RCAN: from pairs to what a picture would be in plain colours, whatever colours it comes in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paired_rooms import FLOOR, PAINT, coloured, masked, write_pairs
from two_rooms import SIZE, write_room

from policy.checkpoint import read_checkpoint
from policy.contract import Invalid
from policy.contract.canonical import THINGS
from policy.run import CHECKPOINT, recorded
from sim2real.config import TranslateConfig, from_mapping
from sim2real.data import as_pictures, as_tensor
from sim2real.networks import UNet
from sim2real.pairs import CHANNELS, parts_of, read_pairs
from sim2real.rcan import Rcan, mean_pairwise_square
from sim2real.train import GRID, Training, train

SMALL: dict[str, Any] = {
    "translator": "rcan",
    "size": SIZE,
    "networks": {"width": 8, "discriminator_width": 4, "discriminator_layers": 1},
    "batch": 4,
    "updates": 6,
    "report_every": 2,
    "show_every": 4,
}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rooms")
    write_pairs(directory / "sim", episodes=24)
    write_room(directory / "cell", "cell")
    return directory


def config(rooms: Path, **fields: Any) -> TranslateConfig:
    logs = {name: str(rooms / name) for name in ("sim", "cell")}
    return from_mapping({**SMALL, **logs, **fields})


def test_a_pair_is_one_state_twice(rooms: Path) -> None:
    train_on, held_out = read_pairs(rooms / "sim", rooms / "cell", "front", SIZE)
    assert len(train_on.sim) + len(held_out.sim) == 24 * 8
    assert set(train_on.sim.episodes).isdisjoint(held_out.sim.episodes)
    pictures, truths = train_on.draw(12)
    assert truths.shape == (12, CHANNELS, SIZE, SIZE)
    shown, mask, depth = parts_of(truths)
    box = mask.argmax(dim=1) == THINGS
    assert mask.sum(dim=1).eq(2 - mask.shape[1]).all()  # each pixel is of one kind
    for k in range(12):
        colours = as_pictures(shown)[k]
        assert (colours[box[k].numpy()] == PAINT).all()
        assert (colours[~box[k].numpy()] == FLOOR).all()
        # The randomised picture's box is where the mask has it.
        inside, outside = pictures[k][:, box[k]], pictures[k][:, ~box[k]]
        assert inside.std(dim=1).max() < 0.2
        assert outside.std(dim=1).max() < 0.2
    assert depth[:, 0, 0, 0].isnan().all()
    assert depth.isnan().sum() == 12


def test_a_picture_that_is_too_bright_everywhere_is_not_wrong() -> None:
    torch.manual_seed(0)
    error = torch.randn(3, 2, 4, 4)
    flat = error.flatten(1)
    apart = (flat[:, :, None] - flat[:, None, :]).square()
    count = flat.shape[1]
    wanted = apart.sum((1, 2)).div(count * (count - 1)).mean()
    torch.testing.assert_close(mean_pairwise_square(error), wanted)
    torch.testing.assert_close(mean_pairwise_square(error + 0.3), wanted)


def test_from_pairs_to_pictures(rooms: Path, tmp_path: Path) -> None:
    train(config(rooms), tmp_path)
    assert (tmp_path / GRID).stat().st_size > 1000
    lines = [line for line in recorded(tmp_path) if line["kind"] == "train"]
    assert [line["updates"] for line in lines] == [2, 4, 6]
    losses = ("fooling_loss", "picture_loss", "mask_loss", "depth_loss")
    assert all(line[name] > 0 for line in lines for name in losses)


def test_a_run_that_was_stopped_ends_bit_for_bit_as_one_that_was_not(
    rooms: Path, tmp_path: Path
) -> None:
    train(config(rooms), tmp_path / "whole")
    with ExitStack() as stack:
        stopped = Training(config(rooms), tmp_path / "stopped", stack)
        for _ in range(3):
            stopped.advance()
        stopped.show()
        stopped.save()
    train(config(rooms), tmp_path / "stopped")
    whole, rest = (read_checkpoint(tmp_path / n / CHECKPOINT)[0] for n in ("whole", "stopped"))
    assert rest.keys() == whole.keys()
    assert all(torch.equal(rest[name], whole[name]) for name in whole)


def test_colours_go_and_what_is_there_stays(rooms: Path, tmp_path: Path) -> None:
    """Scenes that it never saw, each in two sets of colours: what it paints of both is alike, and
    the box is where it was."""
    torch.manual_seed(0)
    with ExitStack() as stack:
        quick = {"game": {"learning_rate": 4e-3, "average": 0.95, "precision": "fp32"}}
        training = Training(config(rooms, updates=300, rcan=quick), tmp_path, stack)
        for _ in range(300):
            training.advance()
        rcan = training.translator
    assert isinstance(rcan, Rcan)
    random = np.random.default_rng(5)
    masks = [masked(random) for _ in range(16)]
    one, other = (as_tensor(np.stack([coloured(random, m) for m in masks])) for _ in range(2))
    apart = (rcan.translate(one) - rcan.translate(other)).square().mean()
    assert apart < 0.1 * (one - other).square().mean()
    box = torch.from_numpy(np.stack(masks)[..., 0]) >= THINGS
    _, mask, _ = parts_of(rcan.understand(one))
    found = mask.argmax(dim=1) == THINGS
    assert (found & box).sum() > 0.6 * (found | box).sum()


def test_the_generator_is_a_unet_unless_another_is_named(rooms: Path) -> None:
    made = {}
    for kind in (None, "resnet"):
        choices = config(rooms, networks={**SMALL["networks"], "generator": kind, "blocks": 1})
        made[kind] = Rcan(choices.networks, choices.rcan, SIZE, torch.device("cpu"))
    assert isinstance(made[None].canonical.generator, UNet)
    assert not isinstance(made["resnet"].canonical.generator, UNet)
    assert made["resnet"].understand(torch.zeros(1, 3, SIZE, SIZE)).shape[1] == CHANNELS


def test_a_log_without_pairs_is_named(rooms: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="front_canonical: found 'none', wanted 16x16; collect pairs"):
        read_pairs(rooms / "cell", rooms / "cell", "front", SIZE)
    with pytest.raises(Invalid, match="front_canonical: found '16x16', wanted 8x8; collect pairs"):
        read_pairs(rooms / "sim", rooms / "cell", "front", 8)

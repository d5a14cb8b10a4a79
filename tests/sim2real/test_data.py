"""Sets out of logs: balanced, held out by episodes, and refused by name where they are bad."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from two_rooms import SIZE, scene, write_room

from policy.contract import Invalid
from policy.experience.episode import PERSON, Verdict
from policy.experience.log import VerdictWriter
from sim2real.data import Domain, Unpaired, as_pictures, as_tensor
from sim2real.reading import read_domain, read_unpaired

OPEN, SHUT = ("open", ""), ("closed", "")


def pictures(count: int, room: str = "sim") -> Any:
    random = np.random.default_rng(0)
    return np.stack([scene(random, room) for _ in range(count)])


def domain(count: int = 8, name: str = "sim", states: Any = None) -> Domain:
    return Domain(name, pictures(count), states or (OPEN,) * count, ("e",) * count)


def test_episodes_are_held_out_whole_and_the_same_each_time(tmp_path: Path) -> None:
    write_room(tmp_path, "sim", episodes=10)
    first, again = (read_domain("sim", tmp_path, "front", SIZE) for _ in range(2))
    assert set(first.train.episodes).isdisjoint(first.held_out.episodes)
    assert set(first.held_out.episodes) == set(again.held_out.episodes)
    assert len(set(first.held_out.episodes)) == 3
    assert len(first.train) + len(first.held_out) == 10 * 8
    assert first.train.counts == {SHUT: 28, OPEN: 28}


def test_a_log_that_grows_holds_out_what_it_did(tmp_path: Path) -> None:
    write_room(tmp_path, "sim", episodes=12)
    before = read_domain("sim", tmp_path, "front", SIZE)
    write_room(tmp_path / "more", "sim", episodes=60)
    for path in (tmp_path / "more").glob("*.mcap"):
        path.rename(tmp_path / path.name)
    after = read_domain("sim", tmp_path, "front", SIZE)
    assert set(before.held_out.episodes) < set(after.held_out.episodes)
    assert set(before.train.episodes) < set(after.train.episodes)
    assert 6 < len(set(after.held_out.episodes)) < 20


def test_who_learns_what_comes_of_actions_is_shown_what_was_judged(tmp_path: Path) -> None:
    write_room(tmp_path, "cell", episodes=6)
    with pytest.raises(Invalid, match=r"cell: found '0 judged episodes in .*, wanted 2 or more"):
        read_domain("cell", tmp_path, "front", SIZE, judged=True)
    with VerdictWriter(tmp_path) as verdicts:
        for number in (1, 2, 3):
            verdicts.add(f"cell-{number}", Verdict(PERSON, number == 2))
    split = read_domain("cell", tmp_path, "front", SIZE, judged=True)
    known = {*split.train.episodes, *split.held_out.episodes}
    assert known == {"cell-1", "cell-2", "cell-3"}


def test_both_sides_are_drawn_in_the_same_states(tmp_path: Path) -> None:
    states = (OPEN,) * 18 + (SHUT,) * 2
    rare = Unpaired(
        domain(20, "sim", states), domain(20, "cell", (SHUT,) * 19 + (("between", ""),))
    )
    assert rare.states == [SHUT]  # what one side has never seen is not drawn
    shut = {one.tobytes() for one in rare.sim.pictures[18:]}
    sim, _ = rare.draw(16)
    assert {one.tobytes() for one in as_pictures(sim)} <= shut
    torch.manual_seed(0)
    both = Unpaired(domain(20, "sim", states), domain(20, "cell", states[::-1]))
    drawn = Counter(one.tobytes() in shut for one in as_pictures(both.draw(200)[0]))
    assert 70 < drawn[True] < 130  # of two states, each half, however rare it is


def test_how_full_the_bin_is_counts_where_both_tell(tmp_path: Path) -> None:
    write_room(tmp_path / "sim", "sim", parameters={"things": [{}] * 7})
    write_room(tmp_path / "cell", "cell")
    train, _ = read_unpaired(tmp_path / "sim", tmp_path / "cell", "front", SIZE)
    assert train.states == [SHUT, OPEN]
    write_room(tmp_path / "other", "cell", parameters={"things": [{}] * 2})
    with pytest.raises(Invalid, match=r"states: found .*full bin.*sparse bin.*, wanted some that"):
        read_unpaired(tmp_path / "sim", tmp_path / "other", "front", SIZE)


def test_raw_frames_are_cropped_and_reduced(tmp_path: Path) -> None:
    write_room(tmp_path, "cell", raw=True)
    found = read_domain("cell", tmp_path, "front", 8).train
    assert found.pictures.shape[1:] == (8, 8, 3)
    assert found.pictures.min() > 20  # the black margins beside the square are gone


def test_bytes_come_back_as_they_went() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(as_pictures(as_tensor(every)), every)


def test_an_empty_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"cell: found '0 episodes in .*wanted 2 or more"):
        read_domain("cell", tmp_path, "front", SIZE)


def test_a_camera_that_is_not_there_and_a_size_that_cannot_be_are_named(tmp_path: Path) -> None:
    write_room(tmp_path, "cell")
    with pytest.raises(Invalid, match=r"cell: cell-\d: found 'front', wanted a camera named wrist"):
        read_domain("cell", tmp_path, "wrist", SIZE)
    with pytest.raises(Invalid, match="front: found '16x16x3', wanted 64 px or more"):
        read_domain("cell", tmp_path, "front", 64)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (pictures(8)[:0], "cell: found 'no picture', wanted some"),
        (np.full((8, 16, 16, 3), np.nan), "cell: found 'float64, 6144 values not finite'"),
        (pictures(1).repeat(8, axis=0), "cell: found 'one picture 8 times of 8', wanted different"),
        (pictures(8)[:, :12], "cell: found '12x16x3', wanted squares in colour"),
        (pictures(8)[..., :1], "cell: found '16x16x1', wanted squares in colour"),
    ],
)
def test_bad_pictures_are_named(bad: Any, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        Domain("cell", bad, (OPEN,) * len(bad), ("e",) * len(bad))


def test_a_dark_room_is_named() -> None:
    dark = np.random.default_rng(0).integers(0, 2, (8, 16, 16, 3), np.uint8)
    with pytest.raises(Invalid, match=r"cell: found 'pictures of one grey, [01]'"):
        Domain("cell", dark, (OPEN,) * 8, ("e",) * 8)


def test_two_sizes_do_not_meet() -> None:
    small = Domain("cell", pictures(8)[:, :8, :8], (OPEN,) * 8, ("e",) * 8)
    with pytest.raises(Invalid, match="size: found '16 px and 8 px', wanted one size"):
        Unpaired(domain(), small)

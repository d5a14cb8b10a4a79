"""A pair shows one state twice, and who makes pairs disturbs nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from policy.contract.canonical import BIN, ROBOT, SURROUNDINGS, THINGS
from policy.experience.log import open_index, read_episode
from sim.canonical import PairedGrasp
from sim.collect import main
from sim.config import RandomConfig
from sim.env import BinGrasp, Observation
from sim.parameters import Parameters, imaging_of, nominal

SIDE = 48
CAMERAS = ("front", "wrist", "wrist_depth")


@pytest.fixture(scope="module")
def envs() -> Iterator[tuple[BinGrasp, PairedGrasp]]:
    wide = RandomConfig()
    plain, paired = (
        kind(size=SIDE, cameras=CAMERAS, randomize=wide) for kind in (BinGrasp, PairedGrasp)
    )
    assert isinstance(paired, PairedGrasp)
    yield plain, paired
    plain.close()
    paired.close()


def rolled(env: BinGrasp, parameters: Parameters | None = None) -> list[Observation]:
    """An episode's first steps: down into the bin, closing."""
    seen, _ = env.reset(seed=3, options={"parameters": parameters} if parameters else None)
    found = [seen]
    for k in range(6):
        down = np.array([0.01, 0.0, -0.03, 0.1, k >= 4, 0.0, 0.0], np.float32)
        found.append(env.step(down)[0])
    return found


def test_pairs_change_nothing_of_the_episode(envs: tuple[BinGrasp, PairedGrasp]) -> None:
    plain, paired = (rolled(env) for env in envs)
    for ours, theirs in zip(paired, plain, strict=True):
        assert ours.keys() > theirs.keys()
        for name, value in theirs.items():
            assert np.array_equal(ours[name], value), name


def test_the_other_picture_is_what_a_plain_cell_would_show(
    envs: tuple[BinGrasp, PairedGrasp],
) -> None:
    """The cell's own look and a sensor without faults; things in their coats, cameras in place."""
    plain, paired = envs
    pairs = rolled(paired)
    drawn = paired.parameters
    assert drawn is not None
    look = replace(nominal(paired.cell, drawn.things).look, things=drawn.look.things)
    clean = {
        name: replace(imaging_of(camera), noise=0.0, depth_noise=0.0)
        for name, camera in paired.cell.cameras.items()
    }
    expected = rolled(plain, replace(drawn, look=look, imaging=clean))
    # At the reset: the plain cell's noise has not been drawn, and the way goes on by other chance.
    for camera in ("front", "wrist"):
        assert np.array_equal(pairs[0][f"{camera}_canonical"], expected[0][camera])
        assert not np.array_equal(pairs[0][f"{camera}_canonical"], pairs[0][camera])
    assert np.array_equal(pairs[0]["wrist_canonical_depth"], expected[0]["wrist_depth"])


def test_a_mask_says_what_each_pixel_shows(envs: tuple[BinGrasp, PairedGrasp]) -> None:
    _, paired = envs
    things: set[int] = set()
    for seen in rolled(paired):
        for camera in ("front", "wrist"):
            mask = seen[f"{camera}_canonical_mask"]
            assert mask.shape == (SIDE, SIDE, 1)
            assert {BIN, ROBOT} <= set(np.unique(mask))
            things |= set(np.unique(mask[mask >= THINGS]))
        assert (seen["front_canonical_mask"] == SURROUNDINGS).any()
    assert things
    assert paired.parameters is not None
    assert max(things) < THINGS + len(paired.parameters.things)
    # What is taken away is not seen any more; all else is what it was.
    gone = int(min(things))
    paired.world.refresh()
    before = paired._look()["front_canonical_mask"]
    paired.world.put(gone - THINGS, np.array([0.0, 0.0, -3.0]), np.array([1.0, 0, 0, 0]))
    after = paired._look()["front_canonical_mask"]
    assert gone in before
    assert gone not in after
    assert np.array_equal(after[before != gone], before[before != gone])


def test_they_are_collected_beside_the_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(tmp_path), "--episodes", "2", "--size", "32", "--processes", "1", "--canonical"]
    assert main(command) == 0
    with open_index(tmp_path) as index:
        episode = read_episode(next(iter(index)).path)
    names = ["front", "front_canonical", "front_canonical_depth", "front_canonical_mask"]
    assert sorted(episode.images) == names
    specs = {image.name: image for image in episode.info.interface.observation.images}
    assert specs["front_canonical_depth"].depth == (0.2, 2.0)
    assert len(episode.images["front_canonical_mask"]) == len(episode) + 1
    assert main([str(tmp_path / "depth"), *command[1:], "--cameras", "wrist_depth"]) == 2
    assert "cameras: found 'wrist_depth', wanted a colour camera" in capsys.readouterr().err

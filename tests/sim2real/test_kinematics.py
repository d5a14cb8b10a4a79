"""What calibration says of a picture, against calibration itself, and grasps by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from grasping_rooms import HOLDING, OPEN, SIDE, TWIN, write_grasps

from calibration import load_cell
from calibration.geometry import bin_corners, project, view_of
from policy.contract import Invalid
from policy.experience.episode import Episode, Verdict
from policy.experience.log import open_index, read_episode
from sim2real.kinematics import Calibrated, about_z

CELL = load_cell(TWIN)
FLOOR = CELL.bin.centre.value[2]


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    log = tmp_path_factory.mktemp("log")
    write_grasps(log, "cell", episodes=1, steps=6)
    with open_index(log) as index:
        [entry] = index
        return read_episode(entry.path)


def test_pixels_are_calibrations_own_in_the_middle_square() -> None:
    camera, places = CELL.cameras["front"], np.array([[0.5, 0.1, FLOOR], [0.4, -0.1, FLOOR + 0.2]])
    raw, _ = project(camera, places)
    side = min(camera.width, camera.height)
    left = (camera.width - side) // 2
    wanted = (raw + 0.5 - (left, 0)) * SIDE / side  # a landscape frame
    assert Calibrated(CELL, "front", SIDE).pixels(places, np.zeros(4)) == pytest.approx(wanted)


def test_the_hands_box_is_about_the_tcp_and_moves_with_it(episode: Episode) -> None:
    camera = Calibrated(CELL, "front", 64)
    moved = episode.proprio.copy()
    moved[1:, 3] += 0.05
    boxes = camera.hands(replace(episode, proprio=moved))
    [tcp] = camera.pixels(np.array([[0.5, 0.0, 0.1 + FLOOR]]), np.zeros(4))
    assert (boxes[0, :2] < tcp).all()
    assert (tcp < boxes[0, 2:]).all()
    assert (boxes[1:, [1, 3]] < boxes[0, [1, 3]]).all()  # higher
    assert (boxes[:, 2:] - boxes[:, :2]).min() > 4


def test_a_thing_lay_where_the_hand_closed_on_it_and_held(episode: Episode) -> None:
    camera = Calibrated(CELL, "front", SIDE)
    lain = camera.grasped(episode)
    opened = [aperture == np.float32(OPEN) for aperture in episode.proprio[:, 0]]
    assert [place is not None for place in lain] == opened
    [wanted] = camera.pixels(np.array([[0.5, 0.0, 0.1 + FLOOR]]), np.zeros(4))
    assert lain[0] == pytest.approx(wanted, abs=1e-3)


def test_before_a_miss_it_may_have_lain_elsewhere(episode: Episode) -> None:
    twice = episode.proprio.copy()
    twice[2, 0] = 0.0
    lain = Calibrated(CELL, "front", SIDE).grasped(replace(episode, proprio=twice))
    assert [place is not None for place in lain] == [False] * 3 + [True] * 2 + [False] * 2


def test_of_failures_and_of_empty_hands_nothing_is_known(episode: Episode) -> None:
    camera = Calibrated(CELL, "front", SIDE)
    failed = replace(episode, verdicts=(Verdict("person", False),))
    empty = episode.proprio.copy()
    empty[empty[:, 0] == np.float32(HOLDING), 0] = 0.0
    for one in (failed, replace(episode, proprio=empty)):
        assert camera.grasped(one) == [None] * len(one.proprio)


def test_nothing_of_the_bin_is_out_of_reach() -> None:
    camera = Calibrated(CELL, "front", 64)
    barren = camera.barren()
    corners = np.concatenate(bin_corners(CELL.bin))
    inside = camera.pixels(corners, np.zeros(4)).clip(0, 63).astype(int)
    assert not barren[inside[:, 1], inside[:, 0]].any()
    assert 0.1 < barren.mean() < 0.9


def test_a_wrist_camera_sees_what_moves_with_it_stand_still(episode: Episode) -> None:
    """And where the hand closed on a thing comes nearer to the fingers on the way there."""
    camera = Calibrated(CELL, "wrist", SIDE)
    moved = episode.proprio.copy()
    moved[:, 1] += np.linspace(0.1, 0.0, len(moved))
    boxes = camera.hands(replace(episode, proprio=moved))
    assert boxes == pytest.approx(np.tile(boxes[0], (len(boxes), 1)))
    assert (boxes[0, 2:] - boxes[0, :2] > SIDE / 8).all()
    lain = [place for place in camera.grasped(replace(episode, proprio=moved)) if place is not None]
    tcp = np.add(moved[0, 1:], (0, 0, FLOOR, 0))
    [fingers] = camera.pixels(tcp[None, :3], tcp)
    off = [float(np.linalg.norm(place - fingers)) for place in lain]
    assert off == sorted(off, reverse=True)


def test_a_wrist_cameras_view_is_the_policys(episode: Episode) -> None:
    camera, tcp = CELL.cameras["wrist"], np.array([0.5, 0.1, 0.3, 0.4])
    there = np.array([[0.53, 0.12, 0.2]])
    ahead_left_up = (there - tcp[:3]) @ about_z(tcp[3])
    seen = np.array(view_of(camera, "wrist", CELL.bin).matrix) @ np.append(ahead_left_up, 1.0)
    side = min(camera.width, camera.height)
    corner = (camera.width - side) // 2, (camera.height - side) // 2
    wanted = (seen[:2] / seen[2] + 0.5 - corner) * SIDE / side
    assert Calibrated(CELL, "wrist", SIDE).pixels(there, tcp)[0] == pytest.approx(wanted, abs=0.3)


def test_a_wrist_camera_knows_of_no_place_where_nothing_is() -> None:
    with pytest.raises(Invalid, match="camera: found 'one at the wrist', wanted a fixed one"):
        Calibrated(CELL, "wrist", SIDE).barren()


def test_an_unknown_camera_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="camera: found 'side', wanted one of front, wrist"):
        Calibrated(CELL, "side", SIDE)

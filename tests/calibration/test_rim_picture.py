"""A fixed camera is found by the bin's edges, whatever else has edges; and is watched."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from calibration import load_cell
from calibration.cell import Camera
from calibration.drift import Drift, DriftWatch
from calibration.geometry import bin_corners, rotation
from calibration.lens import Lens
from calibration.registration import Array, Registration, turn_of, turned
from calibration.rim_picture import register_picture
from policy.contract import Invalid
from sim.env import TWIN
from sim.twin import FeedConfig, Twin, TwinConfig

CELL = load_cell(TWIN)
OPTICAL = np.diag([1.0, -1.0, -1.0])  # of a view's turn, which has MuJoCo's axes
WALL = 0.012
FINE = 4  # times as large as the picture is drawn


def measured(camera: Camera) -> Camera:
    return replace(camera, focal=replace(camera.focal, method="board", residual=0.3))


FRONT = measured(CELL.cameras["front"])


def drawn(shift: Array, turn: Array, seed: int = 0) -> npt.NDArray[np.uint8]:
    """A plain bin with lit and dark walls, noise, and a lot of other edges."""
    random = np.random.default_rng(seed)
    floor, rim = bin_corners(CELL.bin)
    middle = rim.mean(axis=0)
    outer = rim + np.array([WALL, WALL, 0]) * np.sign(rim - middle)
    place = np.array(FRONT.pose.position.value) + shift
    facing = rotation(FRONT.pose.orientation.value) @ turned(turn)

    def at(points: Array) -> npt.NDArray[np.int32]:
        pixels = FINE * (Lens.of(FRONT).project((points - place) @ facing) + 0.5) - 0.5
        return np.rint(16 * pixels).astype(np.int32)

    height, width = FINE * 480, FINE * 640
    picture = np.full((height, width, 3), 150, np.uint8)
    for _ in range(40):  # things on the table
        begin, end = (tuple(int(v) for v in random.integers(0, (width, height))) for _ in range(2))
        cv2.line(picture, begin, end, tuple(int(v) for v in random.integers(60, 220, 3)), 12)

    def fill(points: Array, level: int) -> None:
        cv2.fillConvexPoly(picture, at(points), (level,) * 3, cv2.LINE_8, 4)

    fill(outer, 90)
    opening = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(opening, at(rim), 255, cv2.LINE_8, 4)
    inside = picture.copy()
    picture, whole = inside, picture
    fill(rim, 40)
    for k, level in enumerate((50, 120, 70, 60)):  # the walls away from the camera are seen
        fill(np.array([floor[k], floor[k - 3], rim[k - 3], rim[k]]), level)
    fill(floor, 190)
    for _ in range(5):  # things in the bin
        spot = floor.mean(axis=0) + np.array([*random.uniform(-0.1, 0.1, 2), 0.02])
        corner = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.025
        fill(spot + corner, int(random.integers(20, 250)))
    whole[opening > 0] = picture[opening > 0]
    small = cv2.resize(whole, (640, 480), interpolation=cv2.INTER_AREA)
    noisy = cv2.GaussianBlur(small, (0, 0), 0.7) + random.normal(0, 2, small.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def off(found: Registration, shift: Array, turn: Array) -> tuple[float, float]:
    angle = turn_of(turned(turn).T @ turned(found.turn))
    return 1e3 * float(np.linalg.norm(found.shift - shift)), math.degrees(np.linalg.norm(angle))


@pytest.mark.parametrize(
    ("mm", "degrees", "near"), [(0, 0, True), (5, 0.5, True), (15, 1.5, False)]
)
def test_finds_the_bin_among_other_edges(mm: float, degrees: float, near: bool) -> None:
    shift = 1e-3 * mm * np.array([0.6, -0.6, 0.53])
    turn = math.radians(degrees) * np.array([-0.5, 0.7, 0.51])
    pictures = [drawn(shift, turn, seed) for seed in range(3)]
    found = register_picture(pictures, FRONT, CELL.bin, near=near)
    distance, angle = off(found, shift, turn)
    assert distance < 2.5
    assert angle < 0.15


@pytest.mark.parametrize("room", ["factory", "kitchen", "lab_night"])
def test_finds_the_camera_in_the_twins_rooms(room: str) -> None:
    config = TwinConfig(
        mode="lockstep", preset=room, seed=3, cameras=("front",), feed=FeedConfig(rate=5.0)
    )
    with Twin(CELL, config) as twin, twin.cameras["front"].subscribe(10) as camera:
        twin.advance(0.7)
        pictures = [frame.picture for frame in camera.drain() if frame.picture is not None]
        view = twin.truth().parameters.views["front"]
    width, height = (f * view.zoom for f in FRONT.focal.value)
    known = replace(FRONT, focal=replace(FRONT.focal, value=(width, height)))
    found = register_picture(pictures, known, CELL.bin)
    distance, angle = off(found, np.array(view.shift), OPTICAL @ np.array(view.turn))
    assert distance < 5
    assert angle < 0.25
    assert np.linalg.norm(view.shift) > 0.012


def test_refuses_what_shows_no_bin() -> None:
    blank = [np.full((480, 640, 3), 128, np.uint8)]
    with pytest.raises(Invalid, match="look at the bin"):
        register_picture(blank, FRONT, CELL.bin)
    with pytest.raises(Invalid, match="fixed camera"):
        register_picture(blank, CELL.cameras["wrist"], CELL.bin)


def seen(shift: Array, turn: Array, random: np.random.Generator) -> Registration:
    """As one frame's: off by a millimetre and a twentieth of a degree, with a bias of its own, and
    now and then by far more."""
    wild = 20 if random.random() < 0.05 else 1
    return Registration(
        shift + 0.002 + wild * random.normal(0, 0.001, 3),
        turn - 0.001 + wild * random.normal(0, 0.001, 3),
        1.0, 1.0, np.eye(6), 0.4, 500,
    )  # fmt: skip


ZERO = np.zeros(3)


def test_the_watch_stays_calm_for_a_thousand_frames() -> None:
    random = np.random.default_rng(0)
    watch = DriftWatch()
    said = [watch.see(seen(ZERO, ZERO, random)) for _ in range(1080)]
    assert not any(drift.moved for drift in said)
    assert sum(drift.ready for drift in said) == 1001


@pytest.mark.parametrize(("mm", "degrees"), [(3.0, 0.0), (0.0, 0.5)])
def test_the_watch_notices_a_knock_and_says_how_far(mm: float, degrees: float) -> None:
    random = np.random.default_rng(1)
    watch = DriftWatch()
    way = np.array([0.0, 0.6, 0.8])
    for _ in range(100):
        assert not watch.see(seen(ZERO, ZERO, random)).moved
    after = [
        watch.see(seen(1e-3 * mm * way, math.radians(degrees) * way, random)) for _ in range(45)
    ]
    assert after[-1].moved
    assert 1e3 * after[-1].distance == pytest.approx(mm, abs=1.0)
    assert math.degrees(after[-1].angle) == pytest.approx(degrees, abs=0.08)
    back = [watch.see(seen(ZERO, ZERO, random)) for _ in range(60)]
    assert not back[-1].moved
    # One warning, one withdrawal: it does not flicker.
    whole = [drift.moved for drift in after + back]
    assert sum(a != b for a, b in pairwise(whole)) == 2


def test_a_reference_outlives_the_watch() -> None:
    random = np.random.default_rng(2)
    first = DriftWatch(memory=10)
    for _ in range(10):
        first.see(seen(ZERO, ZERO, random))
    second = DriftWatch(memory=10, reference=first.reference)
    said: list[Drift] = [second.see(seen(np.array([0.01, 0, 0]), ZERO, random)) for _ in range(10)]
    assert said[-1].moved
    assert str(said[-1]).startswith(("9.", "10.", "11.", "8."))
    with pytest.raises(Invalid, match="5 or more"):
        DriftWatch(memory=1)

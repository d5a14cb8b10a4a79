"""A fixed camera is found by the bin's edges, whatever else has edges; and is watched."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drawn_bin import CELL, FRONT, drawn

from calibration.drift import Drift, DriftWatch
from calibration.registration import SHIFT, Array, Registration
from calibration.rigid import turn_of, turned
from calibration.rim_picture import register_picture
from policy.contract import Invalid
from sim.twin import FeedConfig, Twin, TwinConfig

OPTICAL = np.diag([1.0, -1.0, -1.0])  # of a view's turn, which has MuJoCo's axes


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
        1.0, 1.0, 1e-6 * np.eye(6), 0.4, 500,
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


@pytest.mark.parametrize("knowing", [3, 10_000])
def test_looks_that_know_nothing_of_a_shift_do_not_deny_it(knowing: int) -> None:
    """All but each third saw the floor alone: along it, they say what the cell file does. And if
    none ever saw more, nothing is known, though all agree."""
    random, watch = np.random.default_rng(2), DriftWatch()

    def look(number: int, shift: float) -> Registration:
        one = seen(np.array([shift, 0, 0]), ZERO, random)
        if number % knowing == 0:
            return one
        unknown = one.covariance.copy()
        unknown[0, 0] = SHIFT**2
        return replace(one, shift=one.shift * (0, 1, 1), covariance=unknown)

    for number in range(1, 101):
        assert not watch.see(look(number, 0.0)).moved
    after = [watch.see(look(number, 0.003)) for number in range(1, 46)]
    assert after[-1].moved == (knowing == 3)


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

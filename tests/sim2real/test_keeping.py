"""How far things moved is measured where it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grasping_rooms import SIDE, write_grasps
from torch import Tensor

from sim2real.boxes import THING, Found, sure
from sim2real.config import from_mapping
from sim2real.detection import write_detector
from sim2real.detector import Detector, DetectorConfig
from sim2real.keeping import Places, Values, main, places
from sim2real.labels import things_of
from sim2real.reading import read_domain
from sim2real.train import train


class Bright:
    """Finds what is bright, exactly, and says that it is `off` px to the right."""

    def __init__(self, off: float = 0.0) -> None:
        self._off = off

    def find(self, pictures: Tensor) -> list[Found]:
        return [self._look(one.mean(0).numpy() > 0.4) for one in pictures]

    def _look(self, bright: np.ndarray) -> Found:
        rows, columns = np.nonzero(bright)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return sure(np.array([box], float) + np.array([self._off, 0, self._off, 0]), THING)


def test_who_is_exact_is_off_by_nothing_and_who_errs_by_as_much(tmp_path: Path) -> None:
    write_grasps(tmp_path, "sim")
    domain = read_domain("sim", tmp_path, "front", SIDE).train
    shown = things_of(domain, "front")
    exact, off = (places(Bright(by), domain, shown) for by in (0.0, 1.5))
    assert (exact.mean, exact.found.value, exact.invented.value) == (0, 1, 0)
    assert off.mean == pytest.approx(1.5)
    assert off.most == pytest.approx(1.5)
    far = places(Bright(5.0), domain, shown)
    assert np.isnan(far.mean)
    assert (far.found.value, far.invented.value) == (0, 1)


def test_each_thing_is_found_by_one_finding_at_most() -> None:
    thing = sure(np.array([[0.0, 0, 4, 4]]), THING)
    twice = sure(np.array([[0.0, 0, 4, 4], [1, 0, 5, 4]]), THING)
    found = Places.of([twice], [thing])
    assert (found.mean, found.found.value, found.invented.value) == (0, 1, 0.5)


def test_translators_stand_in_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for room in ("sim", "cell"):
        write_grasps(tmp_path / room, room)
    logs = {room: str(tmp_path / room) for room in ("sim", "cell")}
    train(
        from_mapping({**logs, "translator": "colour", "size": SIDE, "updates": 5}), tmp_path / "c"
    )
    write_detector(tmp_path / "d.safetensors", Detector(DetectorConfig(SIDE, 8)), {})
    small = {"critic": {"width": 8, "hidden": 16}}
    networks = {"width": 4, "blocks": 1, "discriminator_width": 4, "discriminator_layers": 1}
    played = {"translator": "rlcyclegan", "rlcyclegan": {"q": small}, "networks": networks}
    train(from_mapping({**logs, **played, "size": SIDE, "updates": 2}), tmp_path / "r")
    choices = ["--detector", str(tmp_path / "d.safetensors"), "--size", str(SIDE)]
    choices += ["--translator", str(tmp_path / "c"), "--translator", str(tmp_path / "r")]
    assert main([logs["sim"], *choices, "--judge", str(tmp_path / "r")]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[2:]] == ["| not translated", "| c (colour)", "| r (rlcyclegan)"]
    assert all(-1 <= float(row[5]) <= 1 for row in rows[2:])
    assert main([logs["sim"], *choices, "--judge", str(tmp_path / "c")]) == 2
    assert "judge c: found 'colour', wanted rlcyclegan" in capsys.readouterr().err


def test_values_that_are_the_same_correlate_and_constant_ones_say_nothing() -> None:
    random = np.random.default_rng(0)
    before = random.random(50)
    same, other = Values.of(before, before / 2), Values.of(before, random.random(50))
    assert same.correlation == pytest.approx(1)
    assert same.apart == pytest.approx(before.mean() / 2)
    assert abs(other.correlation) < 0.5
    assert np.isnan(Values.of(before, np.ones(50)).correlation)

"""The gap's numbers where they are known, and the page of two small logs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from paired_rooms import write_pairs
from two_rooms import SIZE, scene, write_room

from policy.contract import Invalid
from sim2real.classifier import saliency, tell_apart
from sim2real.config import from_mapping, names_of, read_translator
from sim2real.data import Domain
from sim2real.distances import distance, fid, kid, scale_of
from sim2real.features import random_convolutions
from sim2real.gap import main
from sim2real.measuring import measure
from sim2real.patches import statistics
from sim2real.reading import read_domain
from sim2real.timing import Timing
from sim2real.train import train
from sim2real.translator import painted


def test_fid_of_gaussians_is_what_it_should_be() -> None:
    """|m - n|^2 + sum of (s - t)^2, where both lie along the axes."""
    random = np.random.default_rng(0)
    a = random.normal([0, 0], [1, 2], (200_000, 2))
    b = random.normal([3, 0], [1, 4], (200_000, 2))
    assert fid(a, b) == pytest.approx(9 + 4, rel=0.02)
    assert fid(a, a) == pytest.approx(0, abs=1e-6)


def test_kid_is_unbiased_where_pictures_are_few() -> None:
    random = np.random.default_rng(0)
    same = [kid(random.normal(size=(20, 8)), random.normal(size=(20, 8))) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(len(same))
    moved = kid(random.normal(size=(200, 8)), random.normal(1, 1, (200, 8)))
    assert moved > 10 * np.std(same)


def rooms(room: str, count: int, seed: int) -> Domain:
    random = np.random.default_rng(seed)
    pictures = np.stack([scene(random, room, 32) for _ in range(count)])
    return Domain(room, pictures, (("", ""),) * count, ("e",) * count)


def test_features_tell_rooms_apart_and_not_halves_of_one() -> None:
    one, other, far = rooms("sim", 60, 0), rooms("sim", 60, 1), rooms("cell", 60, 2)
    a, b, c = (random_convolutions(domain.pictures) for domain in (one, other, far))
    assert a.shape == (60, 64)
    scale = scale_of(a, c)
    near, gap = distance(b, a, scale), distance(c, a, scale)
    assert gap.kid > 100 * abs(near.kid)
    assert gap.fid > 10 * near.fid


def test_a_classifier_knows_rooms_apart_by_what_differs_and_halves_of_one_not() -> None:
    before = torch.get_rng_state()
    sim, cell = rooms("sim", 64, 0), rooms("cell", 64, 1)
    found = tell_apart(sim, cell, rooms("sim", 40, 2), rooms("cell", 40, 3))
    assert found.rate.value == 1
    same = tell_apart(sim, rooms("sim", 64, 4), rooms("sim", 40, 5), rooms("sim", 40, 6))
    assert same.rate.interval[0] < 0.55
    heat = saliency(found.network, cell.pictures[:3])
    assert heat.shape == (3, 32, 32)
    assert heat.amax((1, 2)).allclose(torch.ones(3))
    assert torch.equal(before, torch.get_rng_state())  # a measurement takes nobody's chance


def test_statistics_say_in_which_way_pictures_differ() -> None:
    random = np.random.default_rng(0)
    grey = np.full((4, 64, 64, 3), 100.0)
    noisy = grey + 6 * random.normal(size=(4, 64, 64, 1))
    bright = np.full((4, 64, 64, 3), (160.0, 100.0, 90.0))
    plain, grain, red = (statistics(p.round().astype(np.uint8)) for p in (grey, noisy, bright))
    assert plain["noise"].max() == 0
    assert grain["noise"].mean() == pytest.approx(6, rel=0.05)
    assert grain["texture of patches"].mean() == pytest.approx(6, rel=0.05)
    assert red["red less green"].mean() == 60
    assert red["blue less green"].mean() == -10
    assert red["saturation"].mean() == 70
    assert red["edges"].max() == 0


def test_the_stamps_tell_how_late_things_are(tmp_path: Path) -> None:
    write_room(tmp_path, "cell")
    found = Timing.of(tmp_path)
    assert found.age == pytest.approx(np.full(6 * 7, 50.0))
    assert found.period == pytest.approx(np.full(6 * 6, 200.0))


def test_one_page_ranks_what_closes_the_gap(tmp_path: Path) -> None:
    for room in ("sim", "cell"):
        write_room(tmp_path / room, room)
    logs = {room: str(tmp_path / room) for room in ("sim", "cell")}
    choices = {"translator": "colour", "size": SIZE, "updates": 20, "name": "colour"}
    train(from_mapping({**logs, **choices}), tmp_path / "colour")
    sizes = ["--size", str(SIZE), "--translator", str(tmp_path / "colour")]
    assert main([logs["sim"], logs["cell"], *sizes, "--out", str(tmp_path / "gap")]) == 0
    text = (tmp_path / "gap/gap.md").read_text()
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.count(" | ") >= 3]
    ranked = rows.index("| sim, colour (colour)"), rows.index("| sim")
    assert ranked[0] < ranked[1]
    assert "| age of what is seen | cell | 50 | 50 | 50 |" in text
    for picture in ("pictures.png", "saliency.png"):
        assert f"]({picture})" in text
        assert (tmp_path / "gap" / picture).stat().st_size > 1000
    with pytest.raises(Invalid, match="translator colour: found 'front at 16 px'"):
        measure(tmp_path / "sim", tmp_path / "cell", "front", 8, translators=[tmp_path / "colour"])


def test_logs_of_one_name_are_told_apart() -> None:
    paths = [Path("a/log"), Path("b/log"), Path("b/sim")]
    assert names_of(paths) == ["a/log", "b/log", "sim"]


def test_rcan_is_held_against_what_it_makes_of_the_cell(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs", episodes=12)
    for room in ("sim", "cell"):
        write_room(tmp_path / room, room)
    logs = {"sim": str(tmp_path / "pairs"), "cell": str(tmp_path / "cell")}
    networks = {"width": 8, "discriminator_width": 4, "discriminator_layers": 1}
    choices = {"translator": "rcan", "size": SIZE, "updates": 2, "networks": networks}
    train(from_mapping({**logs, **choices}), tmp_path / "rcan")
    sim, cell = tmp_path / "sim", tmp_path / "cell"
    gap = measure(sim, cell, "front", SIZE, translators=[tmp_path / "rcan"])
    plain, behind = gap.candidates
    assert behind.name == "sim, and cell by rcan (rcan)"
    _, rcan = read_translator(tmp_path / "rcan")
    held = read_domain("cell", cell, "front", SIZE).held_out
    made = painted(rcan, held.pictures)
    assert np.array_equal(behind.pictures, painted(rcan, held.some(len(behind.pictures))))
    for name, values in statistics(made).items():
        learnt, shown = behind.statistics[name]
        assert np.array_equal(learnt, plain.statistics[name][0])
        assert np.array_equal(shown, values)
    assert behind.distance != plain.distance


def test_a_log_that_is_not_there_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "sim"), str(tmp_path / "cell"), "--out", str(tmp_path)]) == 2
    assert str(tmp_path / "sim") in capsys.readouterr().err

"""What was measured gets into the cell file, and nothing else in it changes."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell, save_cell
from calibration.measured import Measured
from calibration.write import measured, write
from policy.contract import ContractError, Invalid

CELLS = Path(__file__).resolve().parents[2] / "calibration" / "cells"
DAY = datetime.date(2026, 12, 1)
FOCAL = Measured((613.21, 614.0), "px", "charuco, 30 views: k-fold", DAY, 0.21)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "cell.yaml"
    copy.write_bytes((CELLS / "twin.yaml").read_bytes())
    return copy


def changes(path: Path) -> list[tuple[str, str]]:
    """The lines that differ from the example's."""
    before = (CELLS / "twin.yaml").read_text().splitlines()
    return [
        pair for pair in zip(before, path.read_text().splitlines(), strict=True) if len({*pair}) > 1
    ]


def test_one_value_changes_one_line(path: Path) -> None:
    cell = write(path, {"cameras.front.focal": FOCAL})
    assert cell == load_cell(path)
    assert cell.cameras["front"].focal == FOCAL
    [(_, line)] = changes(path)
    assert line == (
        "    focal: {value: [613.21, 614.0], unit: px, method: 'charuco, 30 views: k-fold', "
        "date: 2026-12-01, residual: 0.21}"
    )


def test_what_is_not_a_line_of_its_own(path: Path) -> None:
    """More terms than before, a model's name, a tiny number, and a group by its key."""
    terms = (0.1, -0.2, 1e-5, 0.0, 0.01, 0.2, 0.3, 0.0)
    place = measured(np.array([0.0123456789123, -0.4, 0.8]), "m", "hand-eye", 4e-4)
    turn = load_cell(path).cameras["front"].pose.orientation
    cell = write(
        path,
        {
            "cameras.front.distortion_model": "rational_polynomial",
            "cameras.front.distortion": measured(terms, "1", "charuco", 0.2),
            "cameras.front.pose": {"position": place, "orientation": turn},
        },
    )
    front = cell.cameras["front"]
    assert front.distortion.value == terms
    assert front.pose.position.value[0] == 0.0123456789
    assert front.pose.position.date == datetime.date.today()
    assert len(changes(path)) == 3
    assert "    pose:  # of the optical frame, in the base frame\n" in path.read_text()


def test_missing_groups_are_added(path: Path) -> None:
    text = path.read_text()
    head = text[: text.index("dynamics:")]
    path.write_text(head + "dynamics: null  # not yet\n# the end\n")
    seven = (0.5,) * 7
    cell = write(
        path,
        {
            "dynamics.damping": Measured(seven, "N*m*s/rad", "sysid", DAY, 0.1),
            "dynamics.friction": Measured(seven, "N*m", "sysid", DAY, 0.1),
            "dynamics.armature": Measured(seven, "kg*m^2", "sysid", DAY, 0.1),
            "dynamics.payload": Measured(0.7, "kg", "sysid", DAY, 0.1),
            "cameras.front.depth": {
                "span": Measured((0.2, 2.0), "m", "datasheet", DAY, None),
                "noise": Measured(0.01, "1", "plane", DAY, 0.001),
            },
        },
    )
    assert cell.dynamics is not None
    assert cell.dynamics.payload.value == 0.7
    assert cell.cameras["front"].depth is not None
    after = path.read_text()
    assert "residual: 0.1}  # not yet\n# the end\n" in after
    assert "    depth:\n      span: {value: [0.2, 2.0], unit: m," in after
    kept = [line for line in head.splitlines() if line not in after.splitlines()]
    assert kept == []


def test_a_file_that_was_saved_without_style(path: Path) -> None:
    save_cell(load_cell(path), path)
    path.write_text("# measured on a Monday\n" + path.read_text())
    assert write(path, {"cameras.front.focal": FOCAL}).cameras["front"].focal == FOCAL
    assert path.read_text().startswith("# measured on a Monday\n")
    short = Measured((0.1, 0.0, 0.0, 0.0), "1", "charuco", DAY, 0.2)
    assert write(path, {"cameras.front.distortion": short}).cameras["front"].distortion == short


def test_what_load_cell_refuses_is_not_written(path: Path) -> None:
    before = path.read_bytes()
    millimetres = Measured(12.0, "mm", "touch", DAY, 0.1)
    with pytest.raises(ContractError, match=r"table\.height\.unit: found 'mm', wanted 'm'"):
        write(path, {"table.height": millimetres})
    with pytest.raises(ContractError, match=r"tabel: .*no such key"):
        write(path, {"tabel.height": Measured(0.0, "m", "touch", DAY, 0.1)})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_value_that_stands_for_two(path: Path) -> None:
    lens = "{value: [%s, %s], unit: px, method: datasheet, date: 2026-11-21, residual: null}"
    text = path.read_text().replace(
        f"focal: {lens % (615.0, 615.0)}", f"focal: &lens {lens % (615, 615)}"
    )
    path.write_text(text.replace(lens % (430.0, 430.0), "*lens"))
    with pytest.raises(Invalid, match=r"cameras\.front\.focal: found 'a YAML alias'.*write it out"):
        write(path, {"cameras.front.focal": FOCAL})


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link.yaml")
    link.symlink_to(path)
    write(link, {"cameras.front.focal": FOCAL})
    assert link.is_symlink()
    assert load_cell(path).cameras["front"].focal == FOCAL

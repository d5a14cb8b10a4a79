"""The procedures from the command line: what they print, and that only --write changes the file."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.hidden_cells import CELL, HiddenCell, poses
from calibration import load_cell
from calibration.__main__ import main
from calibration.geometry import bin_corners
from calibration.records import Record, Sighting, save_record, seven
from calibration.rigid import matrix_of, rigid


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    path = tmp_path / "cell.yaml"
    path.write_bytes(CELL.read_bytes())
    return path


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["calibration", *map(str, words)])
    return main()


def test_lens_and_camera(
    cell: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden, random = HiddenCell.drawn(2, "wrist"), np.random.default_rng(0)
    lens, record = cell.with_name("lens.json"), cell.with_name("hand_eye.json")
    shown = tuple(map(Sighting.of, hidden.shown(random)))
    save_record(Record(hidden.board, 640, 480, shown), lens)
    told, views = hidden.touched(poses(hidden, 12, 0), random)
    sightings = tuple(map(Sighting.of, views, told))
    save_record(Record(hidden.board, 640, 480, sightings), record)

    before = cell.read_bytes()
    assert run(monkeypatch, "intrinsics", cell, "wrist", lens) == 0
    assert "(taken)" in capsys.readouterr().out
    assert cell.read_bytes() == before
    assert run(monkeypatch, "hand-eye", cell, "wrist", record, "--lens", lens, "--write") == 0
    assert "joint refinement" in capsys.readouterr().out
    camera = load_cell(cell).cameras["wrist"]
    assert camera.focal.method == "charuco and hand-eye, 12 poses"
    assert camera.focal.value == pytest.approx(hidden.lens.focal, rel=0.005)
    place = matrix_of(camera.pose)[:3, 3] - hidden.camera[:3, 3]
    assert np.linalg.norm(place) < 2e-3
    assert run(monkeypatch, "intrinsics", cell, "side", lens) == 1
    assert "camera: found 'side', wanted a camera of cell 'twin'" in capsys.readouterr().err


def test_tip_and_bin(
    cell: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool is 2 mm longer than the file has it; the bin 10 mm from where it was."""
    random = np.random.default_rng(0)
    twin = load_cell(cell)
    tip = matrix_of(twin.arm.tcp)[:3, 3] + np.array([0, 0, 0.002])
    touches = []
    for _ in range(8):
        turn = rigid((np.pi, 0, 0), (0, 0, 0)) @ rigid(random.uniform(-0.4, 0.4, 3), (0, 0, 0))
        flange = rigid(turn[:3, :3], (0.5, 0, 0.1) - turn[:3, :3] @ tip)
        touches.append(seven(flange @ matrix_of(twin.arm.tcp)))
    path = cell.with_name("tip.json")
    path.write_text(json.dumps({"tcp": touches}))
    assert run(monkeypatch, "tcp", cell, path, "--write") == 0
    assert load_cell(cell).arm.tcp.position.value == pytest.approx(tip, abs=1e-6)

    floor, rim = (ring + np.array([0.01, 0, 0]) for ring in bin_corners(twin.bin))
    walls = [
        (1 - up) * (floor[n] + along * (floor[(n + 1) % 4] - floor[n]))
        + up * (rim[n] + along * (rim[(n + 1) % 4] - rim[n]))
        for n in range(4)
        for along, up in ((0.2, 0.2), (0.8, 0.2), (0.5, 0.8))
    ]
    table = [[0.2, -0.4, 0], [0.8, -0.4, 0], [0.8, 0.4, 0], [0.2, 0.4, 0]]
    points = {"floor": floor.tolist(), "walls": np.array(walls).tolist(), "rim": rim.tolist()}
    path.write_text(json.dumps({**points, "table": table}))
    assert run(monkeypatch, "bin", cell, "--touches", path, "--write") == 0
    assert load_cell(cell).bin.centre.value == pytest.approx((0.51, 0, 0.005), abs=1e-5)
    assert "# Copy it, and let calibration" in cell.read_text()
    assert run(monkeypatch, "bin", cell) == 1
    assert "wanted --touches or --depth" in capsys.readouterr().err


def test_what_a_person_confirms(
    cell: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen, out = cell.with_name("seen.png"), cell.with_name("out.png")
    cv2.imwrite(str(seen), np.full((480, 640, 3), 90, np.uint8))
    assert run(monkeypatch, "overlay", cell, "front", seen, out) == 0
    drawn = cv2.imread(str(out))
    assert drawn is not None
    assert (drawn != 90).any(axis=2).mean() > 0.005
    assert run(monkeypatch, "overlay", cell, "wrist", seen, out) == 1
    assert "--tcp" in capsys.readouterr().err
    tcp = ("0.5", "0", "0.3", "1", "0", "0", "0")
    assert run(monkeypatch, "overlay", cell, "wrist", seen, out, "--tcp", *tcp) == 0
    assert run(monkeypatch, "board", cell.with_name("board.svg"), "--columns", 5) == 0
    assert run(monkeypatch, "intrinsics", cell, "front", seen) == 1
    assert "no board in sight" in capsys.readouterr().out

"""The procedure at the cell, on the twin: the arm, moved by the guard, looks at a drawn board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from guided_twin import GuidedTwin

from calibration import Cell, load_cell
from calibration.board import Board
from calibration.guided import fit, look_around, show_lens, swing
from calibration.late import late
from calibration.rigid import apart, matrix_of, rigid, turned
from calibration.streams import Streams, load_streams, save_streams
from policy.contract import Invalid
from sim.env import TWIN
from sim.ik import Kinematics

NOMINAL, BOARD, CAMERA = load_cell(TWIN), Board(), "front"
AXES = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def helper() -> Iterator[GuidedTwin]:
    twin = GuidedTwin(NOMINAL, CAMERA, "factory", seed=3, rate=6.0)
    yield twin
    twin.twin.close()


@pytest.fixture(scope="module")
def cell(helper: GuidedTwin) -> Cell:
    """As the file has it, but for the lens, which is known here."""
    zoom = helper.twin.truth().parameters.views[CAMERA].zoom
    camera = NOMINAL.cameras[CAMERA]
    fx, fy = (zoom * f for f in camera.focal.value)
    exact = replace(camera, focal=replace(camera.focal, value=(fx, fy)))
    return replace(NOMINAL, cameras={**NOMINAL.cameras, CAMERA: exact})


def test_camera_and_delays_come_out(helper: GuidedTwin, cell: Cell, tmp_path: Path) -> None:
    kinematics = Kinematics(cell)

    def reachable(pose: np.ndarray) -> bool:
        return kinematics.solve(pose[:3, 3], pose[:3, :3], kinematics.home, 200)[1]

    seen = look_around(helper, cell, CAMERA, BOARD, reachable, 10)
    assert len(seen.sightings) >= 9
    leans = [np.degrees(np.arccos(-pose[2, 2])) for pose in seen.tcp]
    assert max(leans) > 20
    found = fit(cell, CAMERA, seen, None)
    view = helper.twin.truth().parameters.views[CAMERA]
    nominal = matrix_of(cell.cameras[CAMERA].pose)
    turn = nominal[:3, :3] @ turned(AXES @ np.array(view.turn))
    truth = rigid(turn, nominal[:3, 3] + np.array(view.shift))
    assert apart(nominal, truth)[0] > 0.01
    place, angle = apart(found.camera, truth)
    assert place < 0.002
    assert angle < np.radians(0.15)

    streams = swing(helper, cell, CAMERA, BOARD, seen)
    save_streams(vars(streams), tmp_path / "motion.npz")
    values, lines = late(load_streams(tmp_path / "motion.npz"))
    assert [line.split(":")[0] for line in lines] == ["command", "camera"]
    assert values["latency.camera.mean"].value == pytest.approx(0.020, abs=0.003)  # type: ignore[union-attr]
    assert values["latency.command.mean"].value == pytest.approx(0.030, abs=0.005)  # type: ignore[union-attr]
    assert streams.joints.shape[1] == 1 + 2 * cell.arm.joints


def test_a_person_is_told_what_to_show(helper: GuidedTwin, cell: Cell) -> None:
    helper.said.clear()
    record = show_lens(helper, cell, CAMERA, BOARD, 5)
    assert len(record.views) == 5
    assert all(words in helper.said[-1] for words in ("view 5", "%"))
    assert helper.shown.shape == (480, 640, 3)


def test_streams_say_what_they_lack(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="nothing that is late"):
        late(Streams())
    with pytest.raises(Invalid, match="none of tcp"):
        late(Streams(commands=np.zeros((3, 7))))
    with pytest.raises(Invalid, match="in the order of time"):
        Streams(tcp=np.array([[1.0] * 8, [0.0] * 8]))
    save_streams({"nose": np.zeros((1, 2))}, tmp_path / "odd.npz")
    with pytest.raises(Invalid, match="a stream nose"):
        load_streams(tmp_path / "odd.npz")

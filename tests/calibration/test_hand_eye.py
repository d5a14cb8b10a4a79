"""Hand-eye: poses that tell enough, the camera to its noise, bad poses named."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.hidden_cells import HiddenCell, poses
from calibration.axes import spreads
from calibration.chain import Mount, nudged, pixels, seen
from calibration.handeye import JOINT, SOLVERS, calibrate, plain
from calibration.pnp import board_pose
from calibration.poses import plan
from calibration.records import Record, Sighting, load_record, save_record
from calibration.refine import Task
from calibration.rigid import apart, moved
from policy.contract import ContractError, Invalid

Array = npt.NDArray[np.float64]
MOUNTS: tuple[Mount, ...] = ("world", "wrist")


def recorded(mount: Mount, number: int = 0, count: int = 15) -> tuple[HiddenCell, Task]:
    """With the true lens."""
    cell = HiddenCell.drawn(number, mount)
    told, views = cell.touched(poses(cell, count, number), np.random.default_rng(number))
    return cell, Task(cell.board, cell.lens, mount, told, views)


@pytest.mark.parametrize("mount", MOUNTS)
def test_pixels_move_as_the_slopes_say(mount: Mount) -> None:
    cell, task = recorded(mount, count=1)
    points, tcp = cell.board.points, task.tcp[0]
    _, slopes = pixels(cell.lens, mount, cell.camera, tcp, cell.placed, points)
    for column in range(18):
        step = np.zeros(18)
        step[column] = 1e-6
        ends = [
            pixels(
                cell.lens, mount, nudged(cell.camera, sign * step[:6]),
                nudged(tcp, sign * step[12:]), nudged(cell.placed, sign * step[6:12]), points,
            )[0]
            for sign in (1, -1)
        ]  # fmt: skip
        np.testing.assert_allclose(
            (ends[0] - ends[1]) / 2e-6, slopes[..., column], rtol=1e-4, atol=1e-3
        )


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_camera_is_found(mount: Mount) -> None:
    cell, task = recorded(mount)
    found = calibrate(task)
    place, turn = apart(found.camera, cell.camera)
    place_sd, turn_sd = found.found.camera_sd
    assert place < min(1e-3, 4 * place_sd)
    assert turn < min(math.radians(0.1), 4 * turn_sd)
    assert not found.outliers
    assert found.held_out.corners < 1.0
    assert found.held_out.place < 2e-3
    assert {one.solver for one in found.scores} <= {JOINT, *SOLVERS}
    assert min(found.scores, key=lambda one: one.error).solver == JOINT
    assert "| Park |" in found.table()
    assert set(found.values("side")) == {
        f"cameras.side.pose.{one}" for one in ("position", "orientation")
    }


def test_bad_poses_are_named_and_left_out() -> None:
    cell, task = recorded("world", 1)
    tcp = list(task.tcp)
    tcp[3] = nudged(tcp[3], np.array([0, 0, 0, 0.03, 0, 0]))
    tcp[8] = nudged(tcp[8], np.array([0.05, 0, 0, 0, 0, 0]))
    found = calibrate(replace(task, tcp=tcp))
    assert [one.pose for one in found.outliers] == [3, 8]
    slipped, turned = found.outliers
    assert slipped.place == pytest.approx(0.03, abs=0.01)
    assert turned.turn == pytest.approx(0.05, abs=0.02)
    assert str(slipped).startswith("pose 3: ")
    assert apart(found.camera, cell.camera)[0] < 1.5e-3
    # Half of the poses are of another day: no majority of enough.
    random = np.random.default_rng(0)
    moved_board = [nudged(pose, random.normal(0, 0.1, 6)) for pose in task.tcp]
    with pytest.raises(Invalid, match="is the board fixed"):
        calibrate(replace(task, tcp=[*task.tcp[:6], *moved_board[6:]]))


def test_too_little_is_refused() -> None:
    _, task = recorded("wrist")
    with pytest.raises(Invalid, match="poses: found 7, wanted 8 or more"):
        calibrate(task.of(range(7)))
    yawed = [nudged(task.tcp[0], np.array([0, 0, 0.1 * n, 0.01 * n, 0, 0])) for n in range(10)]
    views = [task.views[n] for n in range(10)]
    with pytest.raises(
        Invalid,
        match=r"1\.00\), 0\.\d deg about another.*wanted 5 deg .* about its x or y",
    ):
        calibrate(replace(task, tcp=yawed, views=views))


@pytest.mark.parametrize("mount", MOUNTS)
def test_planned_poses(mount: Mount) -> None:
    """In the box, in the picture, reachable, turned about more than one axis; and better than
    poses that were merely possible."""
    cell = HiddenCell.drawn(0, mount)
    about = cell.about
    left = plan(about, lambda pose: pose[1, 3] < 0.05, count=12)
    for pose in left:
        assert (pose[:3, 3] >= about.low).all()
        assert (pose[:3, 3] <= about.high).all()
        assert pose[1, 3] < 0.05
        outline = moved(seen(mount, about.camera, pose, about.placed), about.board.outline)
        spots = about.lens.project(outline)
        assert (spots > 0).all()
        assert (spots < (about.lens.width, about.lens.height)).all()
        assert pose[2, 2] < -math.cos(about.tilt) + 1e-9
    assert spreads(left)[0][1] > math.radians(10)
    with pytest.raises(Invalid, match="out of the arm's reach"):
        plan(about, lambda _: False)


def test_solvers_get_the_truth_from_the_truth() -> None:
    """Both ways round, without noise."""
    for mount in MOUNTS:
        cell, task = recorded(mount)
        boards = [seen(mount, cell.camera, tcp, cell.placed) for tcp in task.tcp]
        for name, camera in plain(task, boards).items():
            assert apart(camera, cell.camera)[0] < 1e-5, name


def test_records_are_plain_files(tmp_path: Path) -> None:
    cell, task = recorded("wrist")
    sightings = tuple(
        Sighting.of(view, tcp) for view, tcp in zip(task.views, task.tcp, strict=True)
    )
    record, path = Record(cell.board, 640, 480, sightings), tmp_path / "record.json"
    save_record(record, path)
    again = load_record(path)
    assert again == record
    for one, other in zip(again.tcp, task.tcp, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    same = board_pose(cell.board, cell.lens, again.views[2])
    np.testing.assert_allclose(same, board_pose(cell.board, cell.lens, task.views[2]))
    with pytest.raises(Invalid, match=r"sightings\.tcp: found 'none in \[0\]'"):
        _ = replace(record, sightings=(replace(sightings[0], tcp=None),)).tcp
    path.write_text(path.read_text().replace('"square"', '"squares"'))
    with pytest.raises(ContractError, match="did you mean 'square'"):
        load_record(path)

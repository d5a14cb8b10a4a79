"""From drawn pictures of a board to the cell file: lens, camera and nothing else known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from board_scene import BoardScene

from benchmarks.hidden_cells import CELL, HiddenCell, poses
from calibration import load_cell
from calibration.board import Finder
from calibration.capture import Capture
from calibration.chain import nudged, seen
from calibration.handeye import calibrate as calibrate_hand_eye
from calibration.intrinsics import calibrate
from calibration.pnp import reprojection
from calibration.refine import Task
from calibration.rigid import apart, matrix_of
from calibration.sharpness import blur
from calibration.write import write
from sim.parameters import Imaging

SIZE = (640, 480)
IMAGING = Imaging(noise=2.0, vignetting=0.1, blur=0.4)
CAMERA = load_cell(CELL).cameras["front"]


@pytest.fixture(scope="module")
def hidden() -> HiddenCell:
    """Its lens bends by a plumb bob's terms."""
    return HiddenCell.drawn(3, "world")


@pytest.fixture(scope="module")
def scene(hidden: HiddenCell) -> Iterator[BoardScene]:
    scene = BoardScene(hidden.board, CAMERA, hidden.lens)
    yield scene
    scene.close()


def test_corners_are_found_to_a_tenth_of_a_pixel(hidden: HiddenCell, scene: BoardScene) -> None:
    random, finder = np.random.default_rng(1), Finder(hidden.board)
    off = []
    for _ in range(12):
        pose = hidden.waved(random)
        view = finder.find(scene.picture(pose, IMAGING))
        if view is not None:
            off.append(reprojection(hidden.board, hidden.lens, view, pose))
    errors = np.concatenate(off)
    assert len(off) >= 8
    assert np.median(np.abs(errors)) < 0.1
    assert np.abs(errors.mean(axis=0)).max() < 0.05  # no half pixel is lost on the way


def test_a_blurred_board_is_told(hidden: HiddenCell, scene: BoardScene) -> None:
    """Out of focus, or moved along one axis alone."""
    pose = seen("world", hidden.camera, poses(hidden, 1, 0)[0], hidden.placed)
    sharp = scene.picture(pose, IMAGING)
    finder = Finder(hidden.board)
    view = finder.find(sharp)
    assert view is not None
    streak = np.ones((1, 7), np.float32) / 7
    moved = np.asarray(cv2.filter2D(sharp, -1, streak), np.uint8)
    assert blur(hidden.board, view, sharp) < 0.9
    assert blur(hidden.board, view, moved) > 1.5
    capture = Capture(hidden.board, SIZE)
    assert capture.feed(sharp).kept
    told = capture.feed(moved)
    assert not told.kept
    assert "blurred" in told.why or "no board" in told.why
    again = capture.feed(sharp)
    assert (again.kept, again.why) == (False, "seen already")
    assert capture.feed(np.zeros_like(sharp)).why == "no board in sight"


def test_from_pictures_to_the_cell_file(
    hidden: HiddenCell, scene: BoardScene, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    capture = Capture(hidden.board, SIZE)
    for _ in range(4000):
        pose = hidden.waved(random)
        wanted = hidden.view(pose, random)  # a person does what helps
        if wanted is not None and capture.coverage.helps(wanted):
            told = capture.feed(scene.picture(pose, IMAGING))
        if capture.done:
            break
    assert capture.done, told.advice
    assert told.residual is not None
    assert told.residual < 0.5
    lens = calibrate(hidden.board, capture.views, SIZE)
    assert np.allclose(lens.lens.focal, hidden.lens.focal, rtol=0.003)

    arm, views, finder = [], [], Finder(hidden.board)
    for pose in poses(hidden, 15, 0):
        picture = scene.picture(seen("world", hidden.camera, pose, hidden.placed), IMAGING)
        view = finder.find(picture)
        if view is not None:
            arm.append(nudged(pose, random.normal(0, 1, 6) * hidden.noise.pose))
            views.append(view)
    assert len(views) >= 13
    arm[4] = nudged(arm[4], np.array([0, 0, 0, 0.02, 0, 0]))  # it had not come to rest
    task = Task(hidden.board, lens.lens, "world", arm, views, lens_known=lens.information)
    found = calibrate_hand_eye(task)
    assert [one.pose for one in found.outliers] == [4]
    assert 0.01 < found.outliers[0].place < 0.03
    place, turn = apart(found.camera, hidden.camera)
    assert place < 0.002
    assert turn < np.radians(0.15)

    path = tmp_path / "cell.yaml"
    path.write_bytes(CELL.read_bytes())
    camera = write(path, found.values("front")).cameras["front"]
    assert apart(matrix_of(camera.pose), found.camera)[0] < 1e-8
    assert camera.focal.value == pytest.approx(found.found.lens.focal)
    assert camera.pose.position.residual is not None
    assert place < 4 * camera.pose.position.residual
    other = replace(CAMERA, width=1280, height=720)
    with pytest.raises(ValueError, match="size: found '640x480', wanted 1280x720"):
        lens.values("front", other)

"""Projection against the pinhole by hand and against OpenCV, the bin, the sheet, the command."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
import yaml
from cards import edited
from hypothesis import given

from calibration import Cell, load_cell
from calibration.cell import Camera
from calibration.geometry import Array, bin_corners, box_corners, problems, project, rotation
from calibration.sheet import BIN, camera_view, draw_cell
from policy.contract import decode, encode

ROOT = Path(__file__).resolve().parents[2]
TWIN = ROOT / "calibration" / "cells" / "twin.yaml"
CELL = load_cell(TWIN)
FRONT = CELL.cameras["front"]

DOWN = (1.0, 0.0, 0.0, 0.0)  # half a turn about x: looks along -z, x stays to the right
FORWARD = (-0.5, 0.5, -0.5, 0.5)  # looks along +x, right is -y, down is -z


def camera(
    position: tuple[float, ...] = (0.0, 0.0, 0.0),
    orientation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0),
    model: str = "none",
    distortion: tuple[float, ...] = (),
) -> Camera:
    """640x480, focal lengths 500 and 400, principal point (300, 200)."""
    data = encode(FRONT)
    for path, value in (
        ("pose.position.value", position),
        ("pose.orientation.value", orientation),
        ("focal.value", (500.0, 400.0)),
        ("centre.value", (300.0, 200.0)),
        ("distortion_model", model),
        ("distortion.value", distortion),
    ):
        data = edited(data, path, value)
    return decode(Camera, data, "camera")


def changed(path: str, value: object) -> Cell:
    return decode(Cell, edited(encode(CELL), path, value), "changed")


# --- rotation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quaternion", "columns"),
    [
        ((0.0, 0.0, 0.0, 1.0), [(1, 0, 0), (0, 1, 0), (0, 0, 1)]),
        (DOWN, [(1, 0, 0), (0, -1, 0), (0, 0, -1)]),
        ((0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)), [(0, 1, 0), (-1, 0, 0), (0, 0, 1)]),
        (FORWARD, [(0, -1, 0), (0, 0, -1), (1, 0, 0)]),
    ],
)
def test_rotation_by_hand(
    quaternion: tuple[float, float, float, float], columns: list[tuple[int, int, int]]
) -> None:
    """The columns are the images of x, y and z."""
    np.testing.assert_allclose(rotation(quaternion).T, columns, atol=1e-12)


coordinate = st.floats(-1, 1)


@st.composite
def quaternions(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Of any length from 0.1 to 2."""
    parts = st.tuples(coordinate, coordinate, coordinate, coordinate)
    return draw(parts.filter(lambda q: math.hypot(*q) > 0.1))


@given(quaternions())
def test_rotation_is_one_and_agrees_with_rodrigues(q: tuple[float, float, float, float]) -> None:
    turn = rotation(q)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    axis, angle = np.array(q[:3]), 2 * math.atan2(math.hypot(*q[:3]), q[3])
    length = np.linalg.norm(axis)
    vector = axis / length * angle if length > 1e-6 else np.zeros(3)
    np.testing.assert_allclose(turn, cv2.Rodrigues(vector)[0], atol=1e-5)


# --- projection -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "orientation", "point", "pixel", "depth"),
    [
        # at the origin, looking up: u = 300 + 500 x/z, v = 200 + 400 y/z
        ((0, 0, 0), (0, 0, 0, 1), (0, 0, 1), (300, 200), 1),
        ((0, 0, 0), (0, 0, 0, 1), (0.2, 0.1, 1), (400, 240), 1),
        ((0, 0, 0), (0, 0, 0, 1), (0.2, 0.1, 2), (350, 220), 2),
        ((0, 0, 0), (0, 0, 0, 1), (-0.2, -0.1, 1), (200, 160), 1),
        # a metre above the table, looking down: y of the base goes up in the picture
        ((0.5, 0, 1), DOWN, (0.5, 0, 0), (300, 200), 1),
        ((0.5, 0, 1), DOWN, (0.6, 0, 0), (350, 200), 1),
        ((0.5, 0, 1), DOWN, (0.5, 0.1, 0), (300, 160), 1),
        ((0.5, 0, 1), DOWN, (0.6, 0.1, 0.5), (400, 120), 0.5),
        # at the origin, looking forward: the base's left is left, its up is up
        ((0, 0, 0), FORWARD, (2, 0.4, 0.2), (200, 160), 2),
        # behind the camera
        ((0, 0, 0), FORWARD, (-2, 0, 0), (300, 200), -2),
    ],
)
def test_projection_by_hand(
    position: tuple[float, ...],
    orientation: tuple[float, ...],
    point: tuple[float, ...],
    pixel: tuple[float, ...],
    depth: float,
) -> None:
    pixels, depths = project(camera(position, orientation), np.array([point], float))
    assert pixels.shape == (1, 2)
    assert depths.shape == (1,)
    np.testing.assert_allclose(pixels[0], pixel, atol=1e-9)
    assert depths[0] == pytest.approx(depth)


@pytest.mark.parametrize(
    ("model", "distortion"),
    [
        ("none", ()),
        ("plumb_bob", (0.1, -0.05, 0.002, -0.001)),
        ("plumb_bob", (0.1, -0.05, 0.002, -0.001, 0.01)),
        ("rational_polynomial", (0.1, -0.05, 0.002, -0.001, 0.01, 0.03, -0.02, 0.005)),
        ("equidistant", (0.02, -0.01, 0.003, -0.001)),
    ],
)
def test_projection_agrees_with_opencv(model: str, distortion: tuple[float, ...]) -> None:
    """OpenCV is given the transform as a rotation vector and a translation, we a pose."""
    random = np.random.default_rng(3)
    points = random.uniform((0.3, -0.2, 0.0), (0.7, 0.2, 0.3), (50, 3))
    lens = camera(FRONT.pose.position.value, FRONT.pose.orientation.value, model, distortion)
    inverse = rotation(lens.pose.orientation.value).T
    translation = -inverse @ np.array(lens.pose.position.value)
    turn, _ = cv2.Rodrigues(inverse)
    matrix = np.array([[500.0, 0, 300], [0, 400, 200], [0, 0, 1]])
    terms = np.array(distortion or (0.0,) * 4)
    if model == "equidistant":
        expected, _ = cv2.fisheye.projectPoints(points[:, None], turn, translation, matrix, terms)
    else:
        expected, _ = cv2.projectPoints(points, turn, translation, matrix, terms)
    pixels, depths = project(lens, points)
    np.testing.assert_allclose(pixels, expected.reshape(-1, 2), atol=1e-6)
    np.testing.assert_allclose(depths, (points @ inverse.T + translation)[:, 2], atol=1e-9)
    plain, _ = project(camera(FRONT.pose.position.value, FRONT.pose.orientation.value), points)
    assert (np.abs(pixels - plain).max() > 0.5) == (model != "none")


# --- corners ----------------------------------------------------------------------------------


def test_box_corners() -> None:
    corners = box_corners((0, 0, 0), (1, 2, 3))
    assert len({tuple(corner) for corner in corners.tolist()}) == 8
    assert corners[0].tolist() == [0, 0, 0]
    assert corners[1].tolist() == [0, 0, 3]
    assert corners[7].tolist() == [1, 2, 3]


def test_bin_corners_by_hand() -> None:
    """0.3 x 0.4 m, walls 0.1 m high that lean 45 degrees: the rim is 0.1 m wider all round."""
    floor, rim = bin_corners(changed("bin.wall_slope.value", math.pi / 4).bin)
    around = np.array([(0.35, -0.2), (0.65, -0.2), (0.65, 0.2), (0.35, 0.2)])
    np.testing.assert_allclose(floor, np.column_stack([around, [0.005] * 4]))
    wider = np.array([(0.25, -0.3), (0.75, -0.3), (0.75, 0.3), (0.25, 0.3)])
    np.testing.assert_allclose(rim, np.column_stack([wider, [0.105] * 4]))


def test_a_bin_turned_a_quarter_left() -> None:
    floor, _ = bin_corners(changed("bin.yaw.value", math.pi / 2).bin)
    around = [(0.7, -0.15), (0.7, 0.15), (0.3, 0.15), (0.3, -0.15)]
    np.testing.assert_allclose(floor[:, :2], around, atol=1e-12)


@given(st.floats(-6, 6), st.floats(0, 1.2))
def test_any_bin_keeps_its_shape(yaw: float, slope: float) -> None:
    data = edited(encode(CELL), "bin.yaw.value", yaw)
    box = decode(Cell, edited(data, "bin.wall_slope.value", slope), "turned").bin
    floor, rim = bin_corners(box)
    lean = math.tan(slope) * 0.1
    for ring, wider, height in ((floor, 0.0, 0.005), (rim, 2 * lean, 0.105)):
        sides = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
        np.testing.assert_allclose(sides, [0.3 + wider, 0.4 + wider] * 2)
        np.testing.assert_allclose(ring.mean(axis=0), (0.5, 0.0, height), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(rim - floor, axis=1), math.hypot(0.1, lean, lean))


def test_the_example_has_no_problem() -> None:
    assert list(problems(CELL)) == []


# --- the sheet --------------------------------------------------------------------------------


def near(picture: Any, pixels: Array, colour: tuple[int, int, int]) -> list[bool]:
    """For each pixel, whether `colour` is drawn within 2 pixels of it."""
    found = []
    for x, y in np.rint(pixels).astype(int):
        patch = picture[y - 2 : y + 3, x - 2 : x + 3].astype(int)
        found.append(bool((np.abs(patch - colour).max(axis=-1) < 12).any()))
    return found


def test_the_sheet_shows_the_bin_where_the_camera_should_see_it() -> None:
    sheet = draw_cell(CELL)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (480, 640 + 480 + 480, 3)
    assert sheet.flags.c_contiguous
    blue: tuple[int, int, int] = BIN[::-1]  # RGB
    assert blue[2] > blue[0]
    floor, rim = bin_corners(CELL.bin)
    for ring in (floor, rim):
        pixels, _ = project(FRONT, ring)
        assert near(sheet, pixels, blue) == [True] * 4
        middles, _ = project(FRONT, (ring + np.roll(ring, 1, axis=0)) / 2)
        assert near(sheet, middles, blue) == [True] * 4
    inside, _ = project(FRONT, np.array([CELL.bin.centre.value]))
    assert near(sheet, inside, blue) == [False]


def test_the_drawing_follows_the_file() -> None:
    moved = changed("bin.centre.value", [0.45, -0.05, 0.005])
    before, _ = project(FRONT, bin_corners(CELL.bin)[0])
    after, _ = project(FRONT, bin_corners(moved.bin)[0])
    sheet = draw_cell(moved)
    assert near(sheet, after, BIN[::-1]) == [True] * 4
    assert not all(near(sheet, before, BIN[::-1]))


def test_each_world_camera_has_its_view() -> None:
    wide = {**encode(FRONT), "width": 1280, "height": 960}
    assert draw_cell(changed("cameras.side", wide)).shape == (480, 2 * 640 + 2 * 480, 3)
    wrist = {**encode(FRONT), "mount": "wrist"}
    assert draw_cell(changed("cameras.wrist", wrist)).shape == (480, 640 + 2 * 480, 3)


def test_drawing_over_a_frame_leaves_the_frame() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    before = frame.copy()
    picture = camera_view(CELL, "front", frame)
    np.testing.assert_array_equal(frame, before)
    pixels, _ = project(FRONT, bin_corners(CELL.bin)[0])
    assert near(picture, pixels, BIN) == [True] * 4
    assert (picture == frame).all(axis=-1).mean() > 0.9


# --- the command ------------------------------------------------------------------------------


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "calibration", "check", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )


def test_check_passes_the_example_and_draws_it(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "sheet.png"
    done = check(TWIN, "--sheet", picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"cell 'twin' ({CELL.fingerprint})" in done.stdout  # the same in another process
    assert "camera front: 640x480" in done.stdout
    assert "moves dyaw: -0.35 to 0.35 rad" in done.stdout
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    np.testing.assert_array_equal(drawn[..., ::-1], draw_cell(CELL))


def test_check_names_every_fault(tmp_path: Path) -> None:
    data = encode(CELL)
    data = edited(data, "arm.reech", 1.0)
    data = edited(data, "arm.reach.unit", "mm")
    data = edited(data, "cameras.front.pose.orientation.value", [0.0, 0.0, 0.0, 0.5])
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(data))
    done = check(broken, "--sheet", tmp_path / "sheet.png")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == f"{broken}: 3 problems"
    assert len(lines) == 4
    for said in (
        "did you mean 'reach'?",
        "arm.reach.unit: found 'mm', wanted 'm'; divide it by 1000",
        "cameras.front.pose.orientation.value: found (0.0, 0.0, 0.0, 0.5)",
    ):
        assert said in done.stderr
    assert list(tmp_path.iterdir()) == [broken]


def test_check_says_what_it_cannot_read_or_write(tmp_path: Path) -> None:
    done = check(tmp_path / "none.yaml")
    assert done.returncode == 1
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    done = check(TWIN, "--sheet", tmp_path)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
    assert "drawn" not in done.stdout

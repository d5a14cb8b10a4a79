"""The hand's depth camera is found by the bin that it looks at, in every room of the twin."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from calibration import load_cell
from calibration.geometry import down, rotation
from calibration.registration import Array, Registration
from calibration.rigid import turn_of, turned
from calibration.rim_depth import register_depth
from calibration.track import Track
from policy.contract import Invalid
from sim.objects import quaternion
from sim.presets import PRESETS
from sim.twin import FeedConfig, Frame, Twin, TwinConfig

CELL = load_cell(Path(__file__).resolve().parents[2] / "calibration" / "cells" / "twin.yaml")
CAMERA = CELL.cameras["wrist"]
OPTICAL = np.diag([1.0, -1.0, -1.0])  # of a view's turn, which has MuJoCo's axes
Poses = list[tuple[Array, Array]]


def look_around(twin: Twin, seconds: float) -> tuple[list[Frame], Poses]:
    """Frames from all over the bin while the arm moves, and where the TCP was."""
    random = np.random.default_rng(1)
    low, high = np.array(CELL.workspace.low.value), np.array(CELL.workspace.high.value)
    with twin.cameras["wrist"].subscribe(1000) as camera, twin.arm.states.subscribe(9999) as arm:
        for _ in range(round(seconds / 0.5)):
            place = random.uniform((*low[:2], 0.15), high)
            w, x, y, z = quaternion(down(random.uniform(-1.2, 1.2)))
            twin.arm.pose(place, (x, y, z, w))
            twin.advance(0.5)
        states, frames = arm.drain(), camera.drain()
    track = Track(
        [s.stamp_ns for s in states],
        [s.tcp_position for s in states],
        [s.tcp_orientation for s in states],
    )
    frames = [frame for frame in frames if track.covers(frame.captured_ns)]
    return frames, [track.at(frame.captured_ns) for frame in frames]


def metres(frame: Frame) -> Array:
    assert frame.depth is not None
    return frame.depth / 1000.0


@pytest.mark.parametrize("room", sorted(PRESETS))
def test_finds_the_camera_among_the_things_in_the_bin(room: str) -> None:
    config = TwinConfig(
        mode="lockstep", preset=room, seed=4, cameras=("wrist_depth",), feed=FeedConfig(rate=5.0)
    )
    with Twin(CELL, config) as twin:
        frames, poses = look_around(twin, 3.0)
        view = twin.truth().parameters.views["wrist"]
    found = register_depth([metres(frame) for frame in frames], poses, CAMERA, CELL.bin)
    assert np.linalg.norm(view.shift) > 0.01
    shift = found.shift - np.array(view.shift)
    turn = turn_of(turned(OPTICAL @ np.array(view.turn)).T @ turned(found.turn))
    assert np.abs(shift).max() < 0.0008
    assert np.degrees(np.abs(turn).max()) < 0.08
    assert found.zoom == pytest.approx(view.zoom, abs=0.002)
    # As sure as it says: no part is more than five deviations off.
    error, sigma = np.concatenate([shift, turn]), np.sqrt(np.diag(found.covariance))
    assert (np.abs(error) < 5 * sigma).all()
    # The policy's own picture, a crop at 96 px, says the same.
    top, left, side = 0, 80, 480
    small = [metres(frame)[top : top + side, left : left + side][2::5, 2::5] for frame in frames]
    coarse = register_depth(small, poses, CAMERA, CELL.bin, (top, left, side, side))
    assert np.abs(coarse.shift - found.shift).max() < 0.0015


def cast(mount: Registration, poses: Poses, box: Array | None = None) -> list[Array]:
    """Exact frames of an empty bin, or of one with a box (low, high) in it."""
    place, turn = mount.pose(CAMERA)
    (fx, fy), (cx, cy) = CAMERA.focal.value, CAMERA.centre.value
    v, u = np.mgrid[3.5:480:8, 3.5:640:8]  # the middles of a picture of 60 x 80
    rays = np.stack([(u - cx) / fx, (v - cy) / fy, np.ones(u.shape)], axis=-1)
    frames = []
    for hand, facing in poses:
        at, ways = facing @ place + hand, rays @ (facing @ turn).T
        floor = CELL.bin.centre.value[2]
        depth = (floor - at[2]) / ways[..., 2]
        for axis, side in ((0, 1), (0, -1), (1, 1), (1, -1)):
            # A wall is the floor's edge and the rim's edge above it.
            foot = side * CELL.bin.floor.value[axis] / 2
            lean = side * np.tan(CELL.bin.wall_slope.value)
            off = at[axis] - CELL.bin.centre.value[axis] - foot - lean * (at[2] - floor)
            into = ways[..., axis] - lean * ways[..., 2]
            meets = -off / into
            depth = np.where((side * into > 0) & (meets < depth), meets, depth)
        if box is not None:
            with np.errstate(divide="ignore"):
                ends = (box[:, None, None] - at) / ways
            near, far = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
            depth = np.where((near < far) & (near > 0), np.minimum(near, depth), depth)
        rim = floor + CELL.bin.wall_height.value
        depth[at[2] + depth * ways[..., 2] > rim] = np.nan
        frames.append(depth)
    return frames


def displaced(shift: tuple[float, ...], turn: tuple[float, ...]) -> Registration:
    return Registration(np.array(shift), np.array(turn), 1.0, 1.0, np.eye(6), 0.0, 0)


POSES: Poses = [
    (np.array([x, y, z]), down(yaw))
    for x, y, z, yaw in ((0.5, 0, 0.3, 0), (0.45, 0.1, 0.2, 1), (0.55, -0.1, 0.25, -0.8))
]


@pytest.mark.parametrize("size", [0.0, 1.0, 2.0])
def test_exact_frames_give_the_exact_pose(size: float) -> None:
    mount = displaced((0.01 * size, -0.012 * size, 0.008 * size), (0.02 * size, -0.015 * size, 0.0))
    frames = cast(mount, POSES)
    found = register_depth(frames, POSES, CAMERA, CELL.bin)
    np.testing.assert_allclose(found.shift, mount.shift, atol=1e-4)
    np.testing.assert_allclose(found.turn, mount.turn, atol=3e-4)
    place, turn = found.pose(CAMERA)
    np.testing.assert_allclose(place, mount.pose(CAMERA)[0], atol=1e-4)
    np.testing.assert_allclose(turn, mount.pose(CAMERA)[1], atol=3e-4)


def test_a_big_box_in_the_bin_is_not_heard() -> None:
    mount = displaced((0.008, 0.005, -0.006), (0.01, 0.0, 0.012))
    box = np.array([[0.42, -0.12, 0.005], [0.56, 0.02, 0.075]])
    found = register_depth(cast(mount, POSES, box), POSES, CAMERA, CELL.bin)
    np.testing.assert_allclose(found.shift, mount.shift, atol=4e-4)
    np.testing.assert_allclose(found.turn, mount.turn, atol=1e-3)


def test_more_frames_are_surer() -> None:
    sure = [
        np.trace(
            register_depth(
                cast(displaced((0, 0, 0), (0, 0, 0)), POSES[:n]), POSES[:n], CAMERA, CELL.bin
            ).covariance
        )
        for n in (1, 2, 3)
    ]
    assert all(later < earlier for earlier, later in pairwise(sure))


def test_refuses_what_shows_no_bin() -> None:
    blind = [np.full((48, 64), np.nan)]
    with pytest.raises(Invalid, match="0 points"):
        register_depth(blind, POSES[:1], CAMERA, CELL.bin)
    with pytest.raises(Invalid, match="one pose a frame"):
        register_depth(blind, POSES, CAMERA, CELL.bin)
    with pytest.raises(Invalid, match="a wrist camera with depth"):
        register_depth(blind, POSES[:1], replace(CAMERA, depth=None), CELL.bin)


def test_a_track_knows_where_the_hand_was() -> None:
    half = np.sin(0.1), np.cos(0.1)
    track = Track([0, 10], [(0, 0, 0), (1, 2, 3)], [(0, 0, 0, 1), (0, 0, *half)])
    place, turn = track.at(5)
    np.testing.assert_allclose(place, (0.5, 1, 1.5))
    np.testing.assert_allclose(turn, rotation((0, 0, np.sin(0.05), np.cos(0.05))))
    with pytest.raises(Invalid, match="while it was recorded"):
        track.at(11)

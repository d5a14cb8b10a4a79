"""Depth from the twin: the scene's, of the sensor that policies are trained with, at the picture's
own times, and only where it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from calibration import load_cell
from calibration.geometry import rotation
from policy.contract import Invalid
from policy.contract.depth import depth_bytes
from sim.camera import Drawer
from sim.config import ObjectConfig, SceneConfig
from sim.depth import DepthEye
from sim.env import TWIN, BinGrasp
from sim.presets import PRESETS, episode
from sim.twin import Faults, FeedConfig, Frame, Twin, TwinConfig

PATIENCE = 30.0  # s; a busy machine's
BOTH = ("wrist", "wrist_depth")


def lockstep(*cameras: str, **changes: object) -> Twin:
    settings: dict[str, object] = {
        "mode": "lockstep", "cameras": cameras, "objects": ObjectConfig(count=(2, 2)),
        "scene": SceneConfig(timestep=0.002, shadows=256, objects=2), "feed": FeedConfig(drop=0.0),
    }  # fmt: skip
    return Twin(config=TwinConfig(**(settings | changes)))  # type: ignore[arg-type]


def record(twin: Twin, seconds: float, camera: str = "wrist") -> list[Frame]:
    with twin.cameras[camera].subscribe(1000) as frames:
        twin.advance(seconds)
        return frames.drain()


def depth(frame: Frame) -> npt.NDArray[np.uint16]:
    assert frame.depth is not None
    return frame.depth


def test_what_is_not_asked_for_is_not_there_and_changes_nothing() -> None:
    frames = {}
    for cameras in (("wrist",), ("wrist_depth",), BOTH):
        with lockstep(*cameras, seed=3) as twin:
            driver = twin.cameras["wrist"]
            assert (driver.picture, driver.depth) == tuple(name in cameras for name in BOTH)
            frames[cameras] = record(twin, 0.1)[-1]
    alone, bare, whole = frames.values()
    assert alone.depth is None
    assert bare.picture is None
    assert bare.encoded is None
    assert alone.picture is not None
    assert whole.picture is not None
    np.testing.assert_array_equal(alone.picture, whole.picture)
    np.testing.assert_array_equal(depth(bare), depth(whole))
    assert (bare.sequence, bare.captured_ns) == (whole.sequence, whole.captured_ns)
    assert depth(whole).shape == whole.picture.shape[:2] == (480, 640)
    assert depth(whole).dtype == np.uint16
    assert not depth(whole).flags.writeable


def test_all_that_the_cell_gives_is_the_default() -> None:
    with lockstep() as twin:
        assert twin.cameras == {}
    with lockstep(cameras=None) as twin:
        found = {name: (one.picture, one.depth) for name, one in twin.cameras.items()}
    assert found == {"front": (True, False), "wrist": (True, True)}


def test_the_floor_is_as_far_as_the_arm_is_high() -> None:
    """Where the rays of the pixels meet the bin's floor."""
    with lockstep("wrist_depth", objects=ObjectConfig(count=(1, 1), width=(0.016, 0.02))) as twin:
        frame = record(twin, 0.1)[-1]
        height = twin.truth().tcp_position[2] - twin.cell.bin.centre.value[2]
        camera = twin.cell.cameras["wrist"]
    (fx, fy), (cx, cy) = camera.focal.value, camera.centre.value
    rows, columns = np.mgrid[0:480, 0:640]
    rays = np.stack([(columns - cx) / fx, (rows - cy) / fy, np.ones((480, 640))])
    # In the tool's frame, whose z points down.
    rays = np.tensordot(rotation(camera.pose.orientation.value), rays, 1)
    start = np.array(camera.pose.position.value)
    expected = (height - start[2]) / rays[2]
    across = start[:2, None, None] + rays[:2] * expected
    floor = (np.abs(across[0]) < 0.12) & (np.abs(across[1]) < 0.16) & (depth(frame) > 0)
    error = (depth(frame) * 0.001 - expected)[floor]
    assert floor.mean() > 0.2
    assert abs(np.median(error)) < 0.002
    assert (np.abs(error) < 0.01).mean() > 0.8  # the rest is fingers, and what lies there


@pytest.fixture
def env() -> Iterator[BinGrasp]:
    env = BinGrasp(size=48, cameras=("wrist_depth",), scene={"largest_picture": 640})
    yield env
    env.close()


def test_a_full_frame_reduced_is_what_training_draws(env: BinGrasp) -> None:
    env.reset(seed=0)
    assert env.parameters is not None
    [small] = env.eyes
    imaging = replace(env.parameters.imaging["wrist"], depth_noise=0.0)
    env.parameters = replace(env.parameters, imaging={"wrist": imaging})
    seen = env._look()["wrist_depth"]
    large = DepthEye("wrist", env.cell.cameras["wrist"], (480, 640), (0, 0, 480, 640))
    large.aim(env.world.model)
    assert env.drawer is not None
    metres = env.drawer.depth(env.world.data, "wrist", (480, 640))
    whole = large.millimetres(metres, imaging, np.random.default_rng(0))
    top, left, side, _ = small.crop
    reduced = whole[top + 5 : top + side : 10, left + 5 : left + side : 10]
    error = depth_bytes(reduced * 0.001, large.span).astype(int) - seen
    assert (np.abs(error) <= 1).mean() > 0.9  # half a pixel beside its middle


@pytest.mark.parametrize("shadows", [False, True])
def test_one_drawing_gives_what_two_give(env: BinGrasp, shadows: bool) -> None:
    env.reset(seed=0)
    drawer = env.drawer
    assert isinstance(drawer, Drawer)
    data, size = env.world.data, (120, 160)
    light = drawer.draw(data, "wrist", size, shadows).copy()
    metres = drawer.depth(data, "wrist", size)
    both = drawer.both(data, "wrist", size, shadows)
    np.testing.assert_array_equal(both[0], light)
    np.testing.assert_array_equal(both[1], metres)


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_depth_is_as_noisy_in_every_room_as_measured(preset: str | None) -> None:
    cell = load_cell(TWIN)
    measured = cell.cameras["wrist"].depth
    assert measured is not None
    assert episode(preset, cell, 0).imaging["wrist"].depth_noise == measured.noise.value


def test_depth_repeats_and_freezes_with_the_picture() -> None:
    with lockstep("wrist_depth") as twin:
        twin.inject(Faults(repeat=0.5))
        frames = record(twin, 0.6)
        twin.inject(Faults(freeze=("wrist",)))
        frozen = record(twin, 0.3)
    same = [depth(a).tobytes() == depth(b).tobytes() for a, b in pairwise(frames)]
    assert 2 < sum(same) < len(same) - 2
    assert len({frame.captured_ns for frame in frames}) == len(frames)
    assert depth(frozen[-1]) is depth(frozen[-2])


def test_frames_come_as_seldom_as_one_likes() -> None:
    with lockstep("wrist_depth", feed=FeedConfig(rate=10.0, drop=0.0)) as twin:
        frames = record(twin, 2.0)
    stamps = np.array([frame.captured_ns for frame in frames])
    assert 18 <= len(frames) <= 20
    assert np.diff(stamps).mean() == pytest.approx(1e8, rel=0.01)


def test_no_oftener_than_the_camera_can() -> None:
    with pytest.raises(Invalid, match=r"feed.rate: found 60.0, wanted 30 Hz at most"):
        lockstep("wrist", feed=FeedConfig(rate=60.0))
    with pytest.raises(Invalid, match="rate: found 0"):
        FeedConfig(rate=0.0)


def test_depth_of_a_camera_without_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="cameras: found 'front_depth', wanted a camera of cell"):
        lockstep("front_depth")


def test_depth_comes_in_real_time() -> None:
    came = threading.Event()
    with lockstep(*BOTH, mode="real_time") as twin:
        twin.cameras["wrist"].listen(lambda frame: came.set() if depth(frame).any() else None)
        assert came.wait(PATIENCE)

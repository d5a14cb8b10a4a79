"""Depth is that of the scene, with the gaps and the noise of a stereo camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from policy.contract import Invalid
from policy.contract.depth import STEPS, UNKNOWN, depth_bytes
from sim.depth import DepthEye
from sim.env import BinGrasp
from sim.parameters import Imaging

SIDE = 48


@pytest.fixture
def env() -> Iterator[BinGrasp]:
    env = BinGrasp(size=SIDE, cameras=("wrist_depth",))
    yield env
    env.close()


def eye_of(env: BinGrasp) -> DepthEye:
    [eye] = env.eyes
    assert isinstance(eye, DepthEye)
    return eye


def as_bytes(
    eye: DepthEye, metres: npt.NDArray[np.float32], imaging: Imaging, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    return depth_bytes(eye.measure(metres, imaging, random), eye.span)[..., 0]


def test_the_floor_is_where_geometry_says(env: BinGrasp) -> None:
    """Each pixel's ray, followed for the measured distance, ends on the bin's floor."""
    env.reset(seed=0)
    assert env.parameters is not None
    still = {"wrist": replace(env.parameters.imaging["wrist"], depth_noise=0.0)}
    env.parameters = replace(env.parameters, imaging=still)
    env.world.place([], np.zeros((0, 3)), np.zeros((0, 4)))
    env.arm.reset(np.array([0.5, 0.0, 0.2]), 0.3, env.parameters)
    eye = eye_of(env)
    pictures = env._look()
    near, far = eye.span
    distance = near + (pictures["wrist_depth"][..., 0].astype(float) - 1) * (far - near) / STEPS
    [view] = env.deployment.views
    back = np.linalg.inv(np.array(view.matrix)[:, :3])
    top, left, height, _ = eye.crop
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    rays = np.stack(
        [
            left + (columns + 0.5) * height / SIDE - 0.5,
            top + (rows + 0.5) * height / SIDE - 0.5,
            np.ones((SIDE, SIDE)),
        ],
        axis=-1,
    )
    above = (rays * distance[..., None]) @ back[2] - back[2] @ np.array(view.matrix)[:, 3]
    floor = env.cell.bin.centre.value[2] - env.world.tcp[0][2]
    middle = above[SIDE // 4 : SIDE // 2, SIDE // 3 : -SIDE // 3]  # no wall, no finger
    np.testing.assert_allclose(middle, floor, atol=0.002)


def test_noise_grows_with_distance_and_edges_have_gaps(env: BinGrasp) -> None:
    eye, random = eye_of(env), np.random.default_rng(0)
    scene = np.full((SIDE, SIDE), 0.5, np.float32)
    scene[:, : SIDE // 2] = 0.2
    step = (eye.span[1] - eye.span[0]) / STEPS
    clean = as_bytes(eye, scene, Imaging(), random)
    assert len(np.unique(clean)) == 2
    noisy = as_bytes(eye, scene, Imaging(depth_noise=0.02), random).astype(float)
    near, far = noisy[:, : SIDE // 2].std() * step, noisy[:, SIDE // 2 :].std() * step
    assert (near, far) == pytest.approx((0.004, 0.010), rel=0.15)
    gaps = as_bytes(eye, scene, Imaging(holes=1.0), random) == UNKNOWN
    assert gaps[:, SIDE // 2 - 1 : SIDE // 2 + 1].all()
    assert gaps.mean() < 0.3
    longer = as_bytes(eye, scene, Imaging(depth_scale=1.1), random)
    assert (longer > clean).all()


def test_what_was_trained_on_stays_the_same(env: BinGrasp) -> None:
    """The sensor as policies have learnt it, written out once more."""
    eye = eye_of(env)
    imaging = Imaging(depth_scale=1.01, depth_noise=0.01, holes=0.7)
    blocks = np.random.default_rng(1).uniform(0.05, 0.7, (6, 6)).astype(np.float32)
    scene = np.kron(blocks, np.ones((8, 8), np.float32))
    random = np.random.default_rng(2)
    numbers = np.random.default_rng(0).standard_normal((1 << 18) + SIDE * SIDE, np.float32)
    first = int(random.integers(1 << 18))
    noise = numbers[first : first + SIDE * SIDE].reshape(SIDE, SIDE)
    found = scene * np.float32(1.01) * (1 + noise * 0.01)
    strip = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(scene, strip) - cv2.erode(scene, strip) > 0.015
    hidden = edge & (random.random((SIDE, SIDE), np.float32) < 0.7)
    bare = cv2.resize(random.random((8, 8), np.float32), (SIDE, SIDE)) < 0.2 * 0.7
    found[hidden | bare] = np.nan
    wanted = depth_bytes(found, eye.span)[..., 0]
    seen = as_bytes(eye, scene, imaging, np.random.default_rng(2))
    np.testing.assert_array_equal(seen, wanted)
    assert len(np.unique(seen)) > 20


def test_millimetres_are_of_the_same_sensor(env: BinGrasp) -> None:
    eye, imaging = eye_of(env), Imaging(depth_noise=0.02, holes=0.3)
    scene = np.tile(np.linspace(0.05, 0.7, SIDE, dtype=np.float32), (SIDE, 1))
    seen = as_bytes(eye, scene, imaging, np.random.default_rng(3))
    found = eye.millimetres(scene, imaging, np.random.default_rng(3))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found == 0, seen == UNKNOWN)
    known, (near, far) = found > 0, eye.span
    assert 0.3 < known.mean() < 0.9
    metres = near + (seen[known].astype(float) - 1) * (far - near) / STEPS
    np.testing.assert_allclose(found[known] * 0.001, metres, atol=(far - near) / STEPS / 2 + 6e-4)


def test_a_camera_without_depth_is_refused() -> None:
    with pytest.raises(Invalid, match="cameras: found 'front_depth', wanted a camera of cell"):
        BinGrasp(cameras=("front_depth",))

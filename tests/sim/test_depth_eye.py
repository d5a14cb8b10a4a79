"""Depth is that of the scene, with the gaps and the noise of a stereo camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from policy.contract import Invalid
from policy.contract.depth import STEPS, UNKNOWN
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
    clean = eye.measured(scene, Imaging(), random)[..., 0]
    assert len(np.unique(clean)) == 2
    noisy = eye.measured(scene, Imaging(depth_noise=0.02), random)[..., 0].astype(float)
    near, far = noisy[:, : SIDE // 2].std() * step, noisy[:, SIDE // 2 :].std() * step
    assert (near, far) == pytest.approx((0.004, 0.010), rel=0.15)
    gaps = eye.measured(scene, Imaging(holes=1.0), random)[..., 0] == UNKNOWN
    assert gaps[:, SIDE // 2 - 1 : SIDE // 2 + 1].all()
    assert gaps.mean() < 0.3
    longer = eye.measured(scene, Imaging(depth_scale=1.1), random)[..., 0]
    assert (longer > clean).all()


def test_a_camera_without_depth_is_refused() -> None:
    with pytest.raises(Invalid, match="cameras: found 'front_depth', wanted a camera of cell"):
        BinGrasp(cameras=("front_depth",))

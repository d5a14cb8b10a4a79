"""What the simulator's sensor does to light comes out of its pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from calibration.image_statistics import (
    colour_transfer,
    grey_levels,
    linear,
    noise,
    spread,
    vignetting,
    white_balance,
)
from policy.contract import Invalid
from sim.parameters import Imaging
from sim.sensor import Sensor

SIZE = (240, 320)
Picture = npt.NDArray[np.uint8]


def taken(light: Picture, imaging: Imaging, count: int) -> list[Picture]:
    sensor = Sensor(SIZE, (0, 0, *SIZE), SIZE)
    random = np.random.default_rng(0)
    return [sensor.develop(light, imaging, random) for _ in range(count)]


def ramp() -> Picture:
    across = np.linspace(20, 230, SIZE[1])
    return np.broadcast_to(across[None, :, None], (*SIZE, 3)).astype(np.uint8)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 5.0])
def test_noise_is_that_of_the_sensor_at_mid_grey(sigma: float) -> None:
    found = noise(taken(ramp(), Imaging(noise=sigma), 12))
    assert found.value == pytest.approx(sigma, rel=0.06)
    assert found.residual < 0.1 * sigma


def test_light_that_wanders_is_no_noise() -> None:
    pictures = [
        taken(ramp(), Imaging(gain=1 + 0.02 * np.sin(k), noise=2.0), k + 1)[k] for k in range(12)
    ]
    assert noise(pictures).value == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_vignetting_whatever_the_lamp(share: float) -> None:
    slope = np.linspace(150, 190, SIZE[1])
    light = np.broadcast_to(slope[None, :, None], (*SIZE, 3)).astype(np.uint8)
    found = vignetting(taken(light, Imaging(noise=2.0, vignetting=share), 4))
    assert found.value == pytest.approx(share, abs=0.01)


def test_white_balance_of_a_grey_surface() -> None:
    grey = np.full((*SIZE, 3), 140, np.uint8)
    found = white_balance(taken(grey, Imaging(red=1.1, blue=0.85, noise=2.0), 3), (50, 50, 80, 80))
    np.testing.assert_allclose(found, [[1.1, 0.85]] * 3, atol=0.01)
    (low, high), _ = spread([0.95, 0.97, 1.0, 1.02, 1.05, 1.0, 0.99, 1.01], least=0.02)
    assert 0.94 < low < 0.96
    assert 1.04 < high < 1.06
    (low, high), _ = spread([1.0] * 10, least=0.02)
    assert (low, high) == pytest.approx((0.99, 1.01))


def test_colours_are_carried_over() -> None:
    random = np.random.default_rng(0)
    scene = list(random.integers(40, 200, (3, 60, 80, 3)).astype(np.uint8))
    cast = [grey_levels(linear(p) * (1.2, 1.0, 0.7) + 0.01) for p in scene]
    transfer = colour_transfer(scene, cast)
    moved = np.concatenate([transfer(p).reshape(-1, 3) for p in scene]).astype(float)
    wanted = np.concatenate([p.reshape(-1, 3) for p in cast]).astype(float)
    assert np.abs(moved - wanted).mean() < 3
    np.testing.assert_allclose(np.diag(transfer.matrix), (1.2, 1.0, 0.7), atol=0.06)


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(Invalid, match="record more"):
        noise(taken(ramp(), Imaging(), 3))
    with pytest.raises(Invalid, match="mid grey"):
        vignetting([np.full((*SIZE, 3), 255, np.uint8)])
    with pytest.raises(Invalid, match="choose another"):
        white_balance([np.zeros((*SIZE, 3), np.uint8)], (0, 0, 10, 10))

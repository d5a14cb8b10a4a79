"""The twin's light: exposure that wanders, and somebody's soft shadow on the bin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from calibration.geometry import bin_mask
from policy.contract import Invalid
from sim.config import ObjectConfig, SceneConfig
from sim.twin import Faults, Twin, TwinConfig
from sim.twin.feed import FeedConfig
from sim.twin.light import WANDER

SCENE = SceneConfig(timestep=0.002, shadows=0, objects=2)
SHADOW = Faults(moving_shadow=1.0)
Float = npt.NDArray[np.float64]


def lockstep() -> Twin:
    few, feed = ObjectConfig(count=(2, 2)), FeedConfig(drop=0.0)
    return Twin(config=TwinConfig("lockstep", objects=few, scene=SCENE, feed=feed))


def picture(twin: Twin, faults: Faults, seconds: float, camera: str = "front") -> Float:
    twin.inject(faults)
    twin.advance(seconds)
    frame = twin.cameras[camera].latest()
    assert frame is not None
    assert frame.picture is not None
    return frame.picture.astype(float)


def ratio(one: Float, other: Float) -> Float:
    """How much lighter, but for the noise: over blocks of 8 px."""

    def blocks(picture: Float) -> Float:
        found: Float = picture.reshape(60, 8, 80, 8, 3).mean(axis=(1, 3))
        return found

    return blocks(one) / blocks(other)


def test_exposure_wanders_slowly_and_within_bounds() -> None:
    rate = 0.2
    with lockstep() as twin:
        steady = picture(twin, Faults(), 0.1)
        light = [
            float(np.median(ratio(picture(twin, Faults(exposure_drift=rate), 0.5), steady)[..., 1]))
            for _ in range(14)
        ]
        healed = picture(twin, Faults(), 0.1)
    assert 1 - WANDER - 0.02 < min(light) < 0.95
    assert 1.05 < max(light) < 1 + WANDER + 0.02
    assert np.abs(np.diff(light)).max() < 1.1 * rate * 0.5 + 0.01
    assert np.median(ratio(healed, steady)) == pytest.approx(1, abs=0.01)


def test_white_balance_wanders_less() -> None:
    with lockstep() as twin:
        steady = picture(twin, Faults(), 0.1)
        tints = []
        for _ in range(10):
            light = ratio(picture(twin, Faults(exposure_drift=0.2), 0.5), steady)
            tints.append(float(np.median(light[..., 0] / light[..., 1])))
    assert 0.02 < np.ptp(tints) < WANDER


def test_a_shadow_passes_over_the_bin_with_soft_edges() -> None:
    with lockstep() as twin:
        clear = picture(twin, Faults(), 0.1)
        mask = bin_mask(twin.cell.cameras["front"], twin.cell.bin)[4::8, 4::8]
        darkest, middles = [], []
        for _ in range(12):
            light = ratio(picture(twin, SHADOW, 0.7), clear)[..., 1]
            dark = np.where(mask, 1 - light, 0)
            darkest.append(dark.max())
            if dark.max() > 0.2:
                rows, columns = np.mgrid[:60, :80]
                middles.append(((rows * dark).sum(), (columns * dark).sum()) / dark.sum())
            # From light to dark within more than 5 blocks, 6 cm: no thing has such an edge.
            assert np.abs(np.diff(light, axis=1)).max() < 0.45 / 2.5
            assert light.min() > 0.4  # the other lamps are still there
    assert max(darkest) > 0.3
    assert np.ptp(middles, axis=0).max() > 5  # it moves


def test_the_shadow_is_of_the_lamps_colour() -> None:
    """At night the lamp is warm and the rest blue, so that what it does not reach is bluish."""
    with lockstep() as twin:
        twin.reset(1, "lab_night")
        mask = bin_mask(twin.cell.cameras["front"], twin.cell.bin)[4::8, 4::8]
        clear = picture(twin, Faults(), 0.1)
        light = ratio(picture(twin, SHADOW, 0.7), clear)[mask]
        shaded = light[light[:, 1] < np.quantile(light[:, 1], 0.1)]
    assert (shaded[:, 2] - shaded[:, 0]).mean() > 0.05


def test_the_same_time_has_the_same_light() -> None:
    faults = Faults(exposure_drift=0.05, moving_shadow=0.7)

    def once(pauses: int) -> bytes:
        with lockstep() as twin:
            for _ in range(pauses):
                picture(twin, faults, 0.6 / pauses)
            return picture(twin, faults, 0.4).tobytes()

    assert once(1) == once(3)


def test_shares_are_shares() -> None:
    for field in ("exposure_drift", "moving_shadow"):
        with pytest.raises(Invalid, match=field):
            Faults(**{field: 1.2})  # type: ignore[arg-type]

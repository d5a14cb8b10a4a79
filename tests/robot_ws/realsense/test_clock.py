"""The camera's clock in the host's, through jitter, drift, bursts and a counter that goes round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from regrasp_nodes.realsense.clock import BUCKETS, WRAP_US, HardwareClock

HOST_NS = 8_000_000_000_000
PERIOD_US = 33_333.0
LEAST_NS = 2e6  # what each frame needs at least: it cannot be told from an offset
Burst = Callable[[float], float]  # seconds -> ms more


@dataclass
class Camera:
    """Truth: a clock that goes `drift` slower than the host's; frames a jitter later."""

    drift: float = 0.0
    jitter_ms: float = 3.0
    begun_us: float = 5e6
    seed: int = 0

    def frames(self, seconds: float, burst: Burst = lambda _: 0.0) -> Iterator[tuple[float, ...]]:
        """Ticks, arrival and true host time of each frame."""
        random = np.random.default_rng(self.seed)
        for index in range(int(seconds * 1e6 / PERIOD_US)):
            ticked = index * PERIOD_US
            true = HOST_NS + ticked * 1e3 * (1 + self.drift)
            late = LEAST_NS + (random.exponential(self.jitter_ms) + burst(ticked / 1e6)) * 1e6
            yield (self.begun_us + ticked) % WRAP_US, true + late, true


def errors_ms(
    camera: Camera, seconds: float, burst: Burst = lambda _: 0.0
) -> tuple[HardwareClock, list[float]]:
    clock, errors = HardwareClock(), []
    for ticks, arrived, true in camera.frames(seconds, burst):
        told = clock.host_ns(ticks, round(arrived))
        errors.append((told - true - LEAST_NS) / 1e6)
    return clock, errors


def after(errors: list[float], seconds: float) -> float:
    """The largest error from then on."""
    return max(map(abs, errors[int(seconds * 1e6 / PERIOD_US) :]))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("drift_ppm", [-100, 20, 100])
@pytest.mark.parametrize("jitter_ms", [0.5, 5.0])
def test_within_a_millisecond_after_seconds(drift_ppm: int, jitter_ms: float, seed: int) -> None:
    clock, errors = errors_ms(Camera(drift_ppm * 1e-6, jitter_ms, seed=seed), 90)
    assert after(errors, 3.0) < 1.0
    assert after(errors, 60.0) < 0.3
    assert clock.drift * 1e6 == pytest.approx(drift_ppm, abs=6)
    assert clock.residual_ns / 1e6 < 0.1 * jitter_ms
    assert clock.resets == 0


@pytest.mark.parametrize(
    "burst",
    [
        lambda s: 60.0 if s % 10 < 3 else 0.0,  # again and again
        lambda s: 200.0 if s < 5 else 0.0,  # from the beginning
        lambda s: 50.0 if 80 < s < 110 else 0.0,  # for half of all that is remembered
        lambda s: 5.0 if s > 80 else 0.0,  # for good: under load each frame is later
    ],
    ids=["again", "beginning", "long", "load"],
)
@pytest.mark.parametrize("drift_ppm", [-40, 40])
def test_bursts_of_delay_do_not_matter(burst: Burst, drift_ppm: int) -> None:
    _, errors = errors_ms(Camera(drift_ppm * 1e-6), 130, burst)
    assert after(errors, 8.0) < 1.0


def test_a_stamp_is_never_later_than_its_arrival() -> None:
    clock = HardwareClock()
    for ticks, arrived, _ in Camera(30e-6).frames(90):
        assert clock.host_ns(ticks, round(arrived)) <= arrived + 1


def test_the_counter_goes_round() -> None:
    """After 71.6 minutes; here, soon."""
    clock, errors = errors_ms(Camera(50e-6, begun_us=WRAP_US - 20e6), 40)
    assert after(errors, 3.0) < 1.0
    assert clock.resets == 0


def test_it_goes_round_during_a_pause() -> None:
    clock = HardwareClock()
    clock.host_ns(WRAP_US - 1e6, HOST_NS)
    assert clock.host_ns(1e6, HOST_NS + 2_000_000_000) == HOST_NS + 2_000_000_000
    assert clock.resets == 0


@pytest.mark.parametrize("ticks_us", [0.0, 3e6, 500e6])
def test_a_clock_set_anew_is_learnt_anew(ticks_us: float) -> None:
    """Back to zero, as after a reset of the camera; or far ahead."""
    clock = HardwareClock()
    for ticks, arrived, _ in Camera(begun_us=100e6).frames(20):
        clock.host_ns(ticks, round(arrived))
    later = HOST_NS + 21_000_000_000
    told = [clock.host_ns(ticks_us + n * PERIOD_US, later + n * 33_333_000) for n in range(3)]
    assert told == [later + n * 33_333_000 for n in range(3)]
    assert clock.resets == 1


def test_it_forgets_what_is_long_past() -> None:
    """A clock that leapt back by less than a pause looks delayed, until all before is forgotten."""
    clock, seconds = HardwareClock(), 3 * BUCKETS
    for n in range(seconds * 30):
        leap = 50_000.0 if n > 30 * BUCKETS else 0.0
        told = clock.host_ns(n * PERIOD_US - leap, round(HOST_NS + n * PERIOD_US * 1e3))
    assert abs(told - (HOST_NS + n * PERIOD_US * 1e3)) < 1e6

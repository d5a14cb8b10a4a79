"""When a frame was, from what the library's software device says of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from regrasp_nodes.realsense.clock import WRAP_US
from regrasp_nodes.realsense.times import Times, times_of
from soft_camera import EXPOSED_US, SoftCamera, rs

MS = 1_000_000


def read(camera_us: float, recorded: bool = False, **choices: Any) -> tuple[Times, int, int]:
    """And the host's clock before and after."""
    camera = SoftCamera()
    camera.send(1, camera_us, depth=False, **choices)
    frames = camera.syncer.wait_for_frames(5000)
    before = time.monotonic_ns()
    times = times_of(frames.get_color_frame(), recorded)
    after = time.monotonic_ns()
    camera.close()
    return times, before, after


def test_by_the_cameras_clock() -> None:
    times, before, after = read(7_000_000)
    assert times.ticks_us == 7_000_000
    assert times.lag_ns == EXPOSED_US * 1000
    assert before <= times.arrived_ns <= after


def test_the_exposure_was_before_the_counter_went_round() -> None:
    times, _, _ = read(WRAP_US + 1000)
    assert times.ticks_us == 1000
    assert times.lag_ns == EXPOSED_US * 1000


def test_the_arrival_is_as_the_library_noted_it() -> None:
    noted = time.time_ns() // MS - 7
    times, before, after = read(7_000_000, arrived_ms=noted)
    real = time.monotonic_ns() - (time.time_ns() - noted * MS)
    assert times.arrived_ns == pytest.approx(real + MS, abs=MS)
    recorded, before, after = read(7_000_000, recorded=True, arrived_ms=noted)
    assert before <= recorded.arrived_ns <= after  # it plays now


@pytest.mark.parametrize("noted", [0, 12_345, 2**50])
def test_an_arrival_of_another_clock_is_not_believed(noted: int) -> None:
    times, before, after = read(7_000_000, arrived_ms=noted)
    assert before <= times.arrived_ns <= after


def test_without_metadata() -> None:
    times, before, after = read(7_000_000, metadata=False)
    assert times.ticks_us == pytest.approx(7_000_000)
    assert (times.lag_ns, before <= times.arrived_ns <= after) == (0, True)


def test_stamped_by_the_host() -> None:
    domain = rs.timestamp_domain.system_time
    taken = (time.time() - 0.5) * 1e6
    times, before, _ = read(taken, metadata=False, domain=domain)
    assert times.ticks_us is None
    assert before - times.arrived_ns >= 499 * MS
    recorded, before, after = read(taken, recorded=True, metadata=False, domain=domain)
    assert recorded.ticks_us == pytest.approx(taken)
    assert before <= recorded.arrived_ns <= after

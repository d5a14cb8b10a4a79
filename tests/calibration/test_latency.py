"""Dead time comes apart from lag, on made responses and on the twin's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from calibration import Cell, load_cell
from calibration.cell import Delay
from calibration.correlate import delay_of
from calibration.excitation import steps
from calibration.image_motion import age, image_motion
from calibration.latency import Steps, dead_time
from policy.contract import Invalid
from sim.env import TWIN
from sim.twin import FeedConfig, Twin, TwinConfig

CELL = load_cell(TWIN)
ACCELERATION = 5.0  # m/s^2, of the twin's controller
Array = npt.NDArray[np.float64]


def response(commands: Steps, late: Array, times: Array, lag: float, slope: float) -> Array:
    """Of a controller with a limited slope and a lag of first order, by small steps of time."""
    dt, level, told, place, found = 1e-4, commands.before, commands.before, 0.0, []
    lagged, due = commands.before, commands.times + late
    clock = np.arange(times[0], times[-1] + dt, dt)
    after = np.searchsorted(due, clock, side="right")
    levels = np.concatenate([[commands.before], commands.levels])
    for k in after:
        level = levels[k]
        told += float(np.clip(level - told, -slope * dt, slope * dt))
        lagged += dt / lag * (told - lagged)
        place = place + lagged * dt if commands.order else lagged
        found.append(place)
    return np.interp(times, clock, found)


@pytest.mark.parametrize(("order", "slope"), [(1, 2.0), (0, 0.1)])
def test_dead_time_is_told_from_lag(order: int, slope: float) -> None:
    random = np.random.default_rng(2)
    if order:
        when, levels = steps(30, 0.03, 0.02, (0.3, 0.5), random)
        commands = Steps(when + 0.2, levels, 0.0, 1)
    else:
        count = 20
        when = 0.2 + np.cumsum(random.uniform(0.9, 1.1, count))
        commands = Steps(when, np.where(np.arange(count) % 2, 0.08, 0.05), 0.08, 0)
    late = random.normal(0.05, 0.006, len(commands.times))
    times = np.arange(0, commands.times[-1] + 1.0, 0.01)
    seen = response(commands, late, times, 0.06, slope) + random.normal(0, 1e-5, len(times))
    found = dead_time(commands, times, seen, slope if order else None)
    assert found.mean == pytest.approx(late.mean(), abs=0.0015)
    assert found.jitter == pytest.approx(late.std(ddof=1), abs=0.0015)
    np.testing.assert_allclose(found.each, late, atol=0.004)
    assert found.lag == pytest.approx(0.06, abs=0.004)
    assert found.slope == pytest.approx(slope, rel=0.05)


def late(delay: Delay, mean: float, jitter: float) -> Delay:
    return replace(
        delay,
        mean=replace(delay.mean, value=mean),
        jitter=replace(delay.jitter, value=jitter),
    )


def hidden() -> Cell:
    latency = CELL.latency
    return replace(
        CELL,
        latency=replace(
            latency,
            camera=late(latency.camera, 0.047, 0.003),
            command=late(latency.command, 0.052, 0.004),
        ),
    )


def test_the_twins_latencies_come_out() -> None:
    """The arm's, from its encoders; the hand camera's, from how its picture moves."""
    when, levels = steps(40, 0.03, 0.02, (0.3, 0.5), np.random.default_rng(1))
    config = TwinConfig(
        mode="lockstep", cameras=("wrist",), shadows=False, feed=FeedConfig(rate=15.0)
    )
    with (
        Twin(hidden(), config) as twin,
        twin.arm.states.subscribe(1 << 14) as arm,
        twin.cameras["wrist"].subscribe(1 << 10) as camera,
    ):
        begun = twin.time_ns * 1e-9
        for k in range(round((when[-1] + 0.6) / 0.02)):
            level = levels[np.searchsorted(when, k * 0.02 + 1e-9, side="right") - 1]
            twin.arm.twist((0, level, 0), (0, 0, 0))
            twin.advance(0.02)
        states, frames = arm.drain(), camera.drain()
    times = [state.stamp_ns * 1e-9 for state in states]
    places = np.array([state.tcp_position for state in states])
    # A level is sent with the first command after its time.
    sent = begun + np.ceil(np.round(when / 0.02, 6)) * 0.02
    found = dead_time(Steps(sent, levels, 0.0, 1), times, places[:, 1], ACCELERATION)
    assert found.mean == pytest.approx(0.052, abs=0.003)
    assert found.jitter == pytest.approx(0.004, abs=0.0025)
    pictures = [frame.picture for frame in frames if frame.picture is not None]
    motion = image_motion(pictures, (160, 240, 160, 160), 60)
    stamps = np.array([frame.arrived_ns * 1e-9 for frame in frames])
    seen = age(stamps, motion, np.asarray(times), places)
    assert seen.mean == pytest.approx(0.047, abs=0.003)
    assert seen.jitter == pytest.approx(0.003, abs=0.0025)


def test_correlation_finds_fractions_of_a_sample() -> None:
    t = np.arange(2000) * 0.01
    wave = np.sin(3 * t) + 0.5 * np.sin(7.3 * t + 1)
    later = np.sin(3 * (t - 0.0437)) + 0.5 * np.sin(7.3 * (t - 0.0437) + 1)
    noisy = later + np.random.default_rng(0).normal(0, 0.3, len(t))
    assert delay_of(noisy, wave, 0.01, 0.3) == pytest.approx(0.0437, abs=0.003)
    with pytest.raises(Invalid, match="which axis moves"):
        delay_of(np.random.default_rng(1).normal(size=2000), wave, 0.01, 0.3)
    with pytest.raises(Invalid, match="no motion"):
        delay_of(np.zeros(2000), wave, 0.01, 0.3)


def test_refuses_too_few_commands() -> None:
    few = Steps(np.arange(5.0), np.array([1, 0, 1, 0, 1.0]), 0.0, 0)
    with pytest.raises(Invalid, match="command more"):
        dead_time(few, np.arange(100) * 0.1, np.zeros(100))


def test_a_plain_region_shows_no_motion() -> None:
    plain = [np.full((100, 100, 3), 90, np.uint8)] * 3
    with pytest.raises(Invalid, match="something to see"):
        image_motion(plain, (40, 40, 20, 20), 10)


def test_pictures_that_move_otherwise_than_the_arm_are_refused() -> None:
    """Something else lies in the region: what came out would be a delay of nothing."""
    random, times = np.random.default_rng(0), np.arange(0, 6, 0.005)
    places = 0.01 * np.column_stack([np.sin(7 * times), np.sin(8.2 * times), 0 * times])
    stamps = np.arange(1.0, 5.5, 1 / 15)
    seen = 400 * np.column_stack([np.interp(stamps - 0.05, times, line) for line in places.T[:2]])
    assert age(stamps, seen, times, places).mean == pytest.approx(0.05, abs=0.002)
    with pytest.raises(Invalid, match="px that the arm's motion does not explain"):
        age(stamps, seen + random.normal(0, 3, seen.shape), times, places)

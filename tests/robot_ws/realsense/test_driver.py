"""The driver, on frames of the library's software device: each new one is handed out once."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterable

import numpy as np
import pytest
from regrasp_nodes.realsense import Driver, Frame, Settings
from regrasp_nodes.realsense.source import Pipeline, Source, Unplugged
from soft_camera import (
    EXPOSED_US,
    FOCAL,
    SoftCamera,
    SoftSource,
    Step,
    counts_of,
    nothing,
    pixels_of,
    rs,
    sent,
    settings,
)

from policy.contract import Invalid

LOG = logging.getLogger("camera")
FIRST = sent(1)  # the software device's first set has no depth yet


@pytest.fixture(autouse=True)
def _all_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def driven(
    *openings: Iterable[Step] | Exception, choices: Settings | None = None, focal: float = FOCAL
) -> tuple[Driver, list[Frame], list[SoftSource]]:
    """Each opening is what comes of it; after the last one the driver is stopped."""
    left, sources, frames = list(openings), list[SoftSource](), list[Frame]()

    def opened(_: Settings) -> Source:
        opening = left.pop(0)
        if isinstance(opening, Exception):
            raise opening
        sources.append(SoftSource(opening, driver.stop, focal))
        return sources[-1]

    driver = Driver(choices or settings(), LOG, opened)
    driver.run(frames.append)
    return driver, frames, sources


def lost(_: SoftCamera) -> None:
    raise RuntimeError("device disconnected")


def test_a_frame_is_whole() -> None:
    driver, frames, [source] = driven([FIRST, *(sent(n) for n in range(2, 8))])
    assert [frame.sequence for frame in frames] == list(range(1, 8))
    assert frames[0].depth is None
    for frame in frames[1:]:
        assert np.array_equal(frame.colour, pixels_of(frame.sequence))
        assert frame.depth is not None
        assert frame.depth.dtype == np.uint16
        known = frame.depth > 0  # aligning leaves a hole at the border
        assert known.mean() > 0.95
        assert set(frame.depth[known]) == {counts_of(frame.sequence)[0, 0] / 10}  # 0.1 mm a count
        assert frame.lens.focal == (FOCAL, FOCAL)
    health = driver.health()
    assert (health.handed, health.dropped, health.duplicates) == (7, 0, 0)
    assert (health.unpaired, health.opened, health.connected) == (1, 1, False)
    assert source.closed
    assert driver.serial == "soft-1"


def test_when_it_was_taken() -> None:
    """By the camera's clock, before it was sent; not when it happened to come."""
    before = time.monotonic_ns()
    _, frames, _ = driven([FIRST, *(sent(n) for n in range(2, 12))])
    taken = np.array([frame.captured_ns for frame in frames])
    assert before - EXPOSED_US * 1000 <= taken[0]
    assert (np.diff(taken) > 0).all()
    assert taken[-1] <= time.monotonic_ns()


def test_an_old_frame_is_never_a_new_one() -> None:
    steps = [FIRST, sent(2), sent(2), sent(3, picture=2), sent(4), sent(7), sent(6), sent(8)]
    driver, frames, _ = driven(steps)
    assert [frame.sequence for frame in frames] == [1, 2, 4, 7, 6, 8]
    health = driver.health()
    assert health.duplicates == 2  # one number twice, one picture under two numbers
    assert health.dropped == 2 + 1  # 5 and 6; and 7, since the sequence began anew at 6


def test_a_lost_camera_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    _, frames, sources = driven(
        [FIRST, sent(2), lost], Unplugged("no RealSense is connected"), [sent(1, 2), sent(2, 3)]
    )
    assert [frame.sequence for frame in frames] == [1, 2, 2]
    assert all(source.closed for source in sources)
    told = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert told == [
        "the camera is lost: device disconnected; trying again in 0.5 s",
        "no RealSense is connected; trying again in 1 s",
    ]


def test_frozen_is_told_and_then_it_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    still = [sent(n, picture=2) for n in range(3, 200)]  # frames come, but no new ones
    slowly = [step for one in still for step in (nothing, one)]
    driver, frames, _ = driven([FIRST, sent(2), *slowly], [sent(1, 3)])
    assert [frame.sequence for frame in frames] == [1, 2, 1]
    assert driver.health().opened == 2
    told = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert [text.split(" for ")[0] for text in told] == ["frozen: no new frame", "no new frame"]


def test_it_thaws(caplog: pytest.LogCaptureFixture) -> None:
    driven([FIRST, sent(2), *[nothing] * 5, sent(3)])
    told = [record.message for record in caplog.records][1:]
    assert [text.split(":")[0] for text in told] == ["frozen", "new frames come again"]


def test_depth_of_another_moment_is_no_depth() -> None:
    def apart(camera: SoftCamera) -> None:
        for step in (sent(3), sent(9, depth=False)):
            step(camera)

    driver, frames, _ = driven([FIRST, sent(2), apart, sent(10)])
    for frame in frames:
        if frame.depth is not None:
            shown = (float(frame.depth[60, 80]) * 10 - 5000) / 10
            assert abs(shown - frame.sequence) <= 1
    assert driver.health().unpaired == sum(frame.depth is None for frame in frames)


def test_without_depth() -> None:
    steps = [sent(n, depth=False) for n in range(1, 4)]
    driver, frames, _ = driven(steps, choices=settings(depth=False))
    assert frames
    assert all(frame.depth is None for frame in frames)
    assert driver.health().unpaired == 0


def test_another_lens_is_told_with_both_numbers(caplog: pytest.LogCaptureFixture) -> None:
    _, frames, _ = driven([FIRST], focal=160.0)
    assert len(frames) == 1
    [told] = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert "(160.0, 160.0) px, the cell file (153.8, 153.8) px" in told


def test_another_size_is_refused() -> None:
    asked = settings()
    wider = dataclasses.replace(asked.camera, width=320)
    with pytest.raises(Invalid, match="size: found '160x120', wanted 320x120, as in the cell"):
        driven([FIRST], choices=dataclasses.replace(asked, camera=wider))


def test_a_fault_of_the_listener_is_his_own() -> None:
    """And the camera is closed."""
    source = SoftSource([FIRST], lambda: None)
    driver = Driver(settings(), LOG, lambda _: source)

    def fails(_: Frame) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        driver.run(fails)
    assert source.closed


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(Unplugged, match="no RealSense with serial number 000"):
        Pipeline(settings(serial="000"))


@pytest.mark.parametrize("domain", ["system_time", "global_time"])
def test_stamps_of_the_host_are_taken_as_they_are(
    domain: str, caplog: pytest.LogCaptureFixture
) -> None:
    def stamped(camera: SoftCamera) -> None:
        at = (time.time() - 0.02) * 1e6
        camera.send(1, at, metadata=False, domain=getattr(rs.timestamp_domain, domain))

    _, [frame], _ = driven([stamped])
    age = (time.monotonic_ns() - frame.captured_ns) / 1e9
    assert 0.02 <= age < 5
    assert "frames come without the camera's clock" in caplog.text

"""The real pipeline, on a recording that the library itself wrote."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from regrasp_nodes.realsense import Driver, Frame
from regrasp_nodes.realsense.source import Pipeline
from ros_doing import until
from soft_camera import pixels_of, record, settings

from policy.contract import Invalid

LOG = logging.getLogger("camera")
FRAMES = 20


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recording") / "camera.db3", FRAMES)


def test_it_plays_over_and_over(recording: Path) -> None:
    driver, frames = Driver(settings(recording=str(recording)), LOG), list[Frame]()
    before = time.monotonic_ns()
    thread = threading.Thread(target=driver.run, args=(frames.append,), daemon=True)
    thread.start()
    try:
        until(lambda: len(frames) > 1.5 * FRAMES)
        assert driver.health().connected
    finally:
        driver.stop()
        thread.join()
    numbers = np.array([frame.sequence for frame in frames])
    assert (np.diff(numbers) < 0).any()  # it began anew
    assert (np.diff(numbers) != 0).all()
    taken = np.array([before, *(frame.captured_ns for frame in frames), time.monotonic_ns()])
    assert (np.diff(taken) > 0).all()  # as if it happened now
    for frame in frames:
        assert np.array_equal(frame.colour, pixels_of(frame.sequence))
    assert sum(frame.depth is not None for frame in frames) > len(frames) / 2
    health = driver.health()
    assert (health.opened, health.handed, health.connected) == (1, len(frames), False)
    assert driver.serial == "soft-1"


def test_another_size_is_refused(recording: Path) -> None:
    asked = settings(recording=str(recording))
    wider = dataclasses.replace(asked, camera=dataclasses.replace(asked.camera, width=320))
    with pytest.raises(Invalid) as refused:
        Pipeline(wider)
    assert "size: found '160x120 at 30', wanted 320x120 at 30" in str(refused.value)


def test_depth_that_was_not_recorded_is_refused(tmp_path: Path) -> None:
    path = str(record(tmp_path / "flat.db3", 3, depth=False))
    with pytest.raises(Invalid, match="do without: depth:=false"):
        Pipeline(settings(recording=path))
    Pipeline(settings(recording=path, depth=False)).close()


@pytest.mark.parametrize("content", [None, b"", b"no recording\n" * 100])
def test_what_is_no_recording(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "camera.db3"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=r"recording: found .* wanted a recording of the RealSense"):
        Pipeline(settings(recording=str(path)))

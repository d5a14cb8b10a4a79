"""The RealSense library's own software device: frames of ours on the library's ways, and into
recordings that its pipeline plays. Importing this skips the tests where the library is missing."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regrasp_nodes.realsense.settings import Settings

import calibration.cell
from calibration import Cell, load_cell
from calibration.lens import Lens
from calibration.realsense import lens_of

rs: Any = pytest.importorskip("pyrealsense2", exc_type=ImportError)

WIDTH, HEIGHT, RATE = 160, 120, 30
PERIOD_S = 1 / RATE
FOCAL = 153.75  # of the cell's camera, a quarter as fine
BENT = 0.02  # of the lens, as the library writes it: from the picture to the world
EXPOSED_US = 4000  # before the camera begins to send
UNITS = 1e-4  # m a count
CELL = Path(__file__).parents[2] / "calibration/cells/twin.yaml"


def small_cell() -> Cell:
    """The example cell with pictures as small as ours."""
    cell = load_cell(CELL)
    front = cell.cameras["front"]
    camera = dataclasses.replace(
        front,
        width=WIDTH,
        height=HEIGHT,
        focal=dataclasses.replace(front.focal, value=(FOCAL, FOCAL)),
        centre=dataclasses.replace(front.centre, value=(WIDTH / 2, HEIGHT / 2)),
    )
    return dataclasses.replace(cell, cameras={"front": camera})


def small_camera() -> calibration.cell.Camera:
    return small_cell().cameras["front"]


def pixels_of(number: int) -> Any:
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def counts_of(number: int) -> Any:
    return np.full((HEIGHT, WIDTH), 5000 + 10 * number, np.uint16)


class SoftCamera:
    """Colour and depth, sent one by one. With a path, all of it is recorded."""

    def __init__(self, path: Path | None = None, focal: float = FOCAL, depth: bool = True) -> None:
        device = rs.software_device()
        device.register_info(rs.camera_info.name, "Software camera")
        device.register_info(rs.camera_info.serial_number, "soft-1")
        kinds = [("RGB Camera", rs.stream.color, rs.format.rgb8, 3)]
        if depth:
            kinds.insert(0, ("Stereo Module", rs.stream.depth, rs.format.z16, 2))
        self._senders = []
        for uid, (name, kind, pixels, size) in enumerate(kinds):
            sensor = device.add_sensor(name)
            profile = sensor.add_video_stream(stream(kind, pixels, size, uid, focal))
            self._senders.append((sensor, profile, size))
        profiles = [profile for _, profile, _ in self._senders]
        if depth:
            self._senders[0][0].add_read_only_option(rs.option.depth_units, UNITS)
            beside = rs.extrinsics()
            beside.rotation, beside.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0.0, 0.0, 0.0]
            profiles[0].register_extrinsics_to(profiles[1], beside)
        self._recorder = rs.recorder(str(path), device) if path else None
        self.lens: Lens = lens_of(profiles[-1].as_video_stream_profile().get_intrinsics())
        self.syncer = rs.syncer()
        self._open = (self._recorder or device).query_sensors()
        for sensor in self._open:
            sensor.open(sensor.get_stream_profiles())
            sensor.start(self.syncer)

    def send(
        self,
        number: int,
        camera_us: float,
        picture: int | None = None,
        depth: bool = True,
        metadata: bool = True,
        arrived_ms: int | None = None,
        domain: Any = rs.timestamp_domain.hardware_clock,
    ) -> None:
        """Frame `number`, showing `picture`, at this time of the camera's clock. What metadata was
        set for one frame, later ones have too."""
        shown = number if picture is None else picture
        for sensor, profile, size in self._senders:
            if size == 2 and not depth:
                continue
            pixels = counts_of(shown) if size == 2 else pixels_of(shown)
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp, frame.stride = pixels, size, WIDTH * size
            frame.timestamp, frame.domain = camera_us / 1e3, domain
            frame.frame_number, frame.profile = number, profile.as_video_stream_profile()
            if size == 2:
                frame.depth_units = UNITS
            if metadata:
                key = rs.frame_metadata_value
                sensor.set_metadata(key.frame_timestamp, int(camera_us) % 2**32)
                sensor.set_metadata(key.sensor_timestamp, int(camera_us - EXPOSED_US) % 2**32)
                if arrived_ms is not None:
                    sensor.set_metadata(key.backend_timestamp, arrived_ms)
            sensor.on_video_frame(frame)

    def close(self) -> None:
        for sensor in self._open:
            sensor.stop()
            sensor.close()
        self._open = []
        self._recorder = None


def stream(kind: Any, pixels: Any, size: int, uid: int = 0, focal: float = FOCAL) -> Any:
    lens = rs.intrinsics()
    lens.width, lens.height, lens.fx, lens.fy = WIDTH, HEIGHT, focal, focal
    lens.ppx, lens.ppy = WIDTH / 2, HEIGHT / 2
    bent = BENT if kind == rs.stream.color else 0.0
    lens.model, lens.coeffs = rs.distortion.inverse_brown_conrady, [bent, 0.0, 0.0, 0.0, 0.0]
    made = rs.video_stream()
    made.type, made.fmt, made.bpp, made.uid, made.index = kind, pixels, size, uid, 0
    made.width, made.height, made.fps, made.intrinsics = WIDTH, HEIGHT, RATE, lens
    return made


def record(path: Path, frames: int, depth: bool = True) -> Path:
    """So many frames at the camera's rate."""
    camera, begun = SoftCamera(path, depth=depth), time.monotonic()
    for number in range(1, frames + 1):
        sent(number)(camera)
        time.sleep(max(0.0, begun + number * PERIOD_S - time.monotonic()))
    camera.close()
    return path


Step = Callable[[SoftCamera], None]


class SoftSource:
    """The software device's own frames, as the driver takes them: what the pipeline cannot see.
    Each time it is asked, it does the next step; after the last one, `ended`."""

    serial, recorded = "soft-1", False

    def __init__(
        self, steps: Iterable[Step], ended: Callable[[], None], focal: float = FOCAL
    ) -> None:
        self._camera = SoftCamera(focal=focal)
        self._steps, self._ended = iter(steps), ended
        self.lens = self._camera.lens
        self.closed = False

    def take(self, timeout_ms: int) -> Any | None:
        step = next(self._steps, None)
        if step is None:
            self._ended()
        else:
            step(self._camera)
        came, frames = self._camera.syncer.try_wait_for_frames(timeout_ms if step else 0)
        return frames if came else None

    def temperature(self) -> float | None:
        return None

    def close(self) -> None:
        self.closed = True
        self._camera.close()


def sent(number: int, picture: int | None = None, **choices: Any) -> Step:
    """A frame, at the time of its number."""
    return lambda camera: camera.send(number, number * PERIOD_S * 1e6, picture, **choices)


def nothing(camera: SoftCamera) -> None:
    """A while without a frame."""


def settings(**choices: Any) -> Settings:
    return Settings(small_camera(), **choices)

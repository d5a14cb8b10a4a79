"""The library's pipeline, opened on a camera or on a recording of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from calibration.lens import Lens
from calibration.realsense import lens_of
from policy.contract import Invalid

from .library import library
from .settings import Settings, apply


class Unplugged(RuntimeError):
    """No camera, or not one that answers, for now: it may come."""


class Source(Protocol):
    """Where sets of frames come from. Errors of the library are RuntimeErrors, and end it."""

    serial: str
    recorded: bool
    lens: Lens

    def take(self, timeout_ms: int) -> Any | None:
        """The newest set of frames, or None if none came in that time."""

    def temperature(self) -> float | None:
        """Of the camera, in °C, if it tells."""

    def close(self) -> None: ...


class Pipeline:
    """The frames come through a queue of ours that holds the newest alone. The pipeline's own
    would also reconnect by itself: for 15 s at a time, and without the options."""

    def __init__(self, settings: Settings) -> None:
        rs = library()
        self.recorded = bool(settings.recording)
        self._context = rs.context()
        config = rs.config()
        if self.recorded:
            device = _recording(self._context, settings.recording)
            config.enable_device_from_file(settings.recording, True)
        else:
            device = _camera(list(self._context.query_devices()), settings.serial)
            config.enable_device(device.get_info(rs.camera_info.serial_number))
        _choose_streams(config, device, settings)
        self._pipeline = rs.pipeline(rs.context() if self.recorded else self._context)
        self._queue = rs.frame_queue(1)
        try:
            self._device = config.resolve(rs.pipeline_wrapper(self._pipeline)).get_device()
            if not self.recorded:
                apply(self._device.query_sensors(), settings)
            profile = self._pipeline.start(config, self._queue)
        except RuntimeError as error:
            raise Unplugged(f"the camera does not start: {error}") from error
        self.serial = _info(self._device, rs.camera_info.serial_number)
        colour = profile.get_stream(rs.stream.color).as_video_stream_profile()
        self.lens = lens_of(colour.get_intrinsics())

    def take(self, timeout_ms: int) -> Any | None:
        came, frame = self._queue.try_wait_for_frame(timeout_ms)
        return frame.as_frameset() if came else None

    def temperature(self) -> float | None:
        option = library().option.asic_temperature
        for sensor in self._device.query_sensors():
            if sensor.supports(option):
                return float(sensor.get_option(option))
        return None

    def close(self) -> None:
        self._pipeline.stop()


def _recording(context: Any, path: str) -> Any:
    wanted, remedy = "a recording of the RealSense library", "record one, or mend the path"
    if not Path(path).is_file():
        raise Invalid("recording", path, wanted, remedy)
    try:
        return context.load_device(path)
    except RuntimeError as error:
        raise Invalid("recording", f"{path} ({error})", wanted, remedy) from None


def _camera(devices: list[Any], serial: str) -> Any:
    key = library().camera_info.serial_number
    by_serial = {_info(device, key): device for device in devices}
    if serial:
        if serial not in by_serial:
            others = f" (there: {', '.join(by_serial)})" if by_serial else ""
            raise Unplugged(f"no RealSense with serial number {serial}{others}")
        return by_serial[serial]
    if not devices:
        raise Unplugged("no RealSense is connected")
    if len(devices) > 1:
        raise Invalid("serial", "", f"one of {', '.join(by_serial)}", "say which camera is meant")
    return devices[0]


def _choose_streams(config: Any, device: Any, settings: Settings) -> None:
    """From what the device offers: asked for something else, the library would only say that it
    cannot, or leave depth out and say nothing."""
    rs, camera, rate = library(), settings.camera, settings.rate
    colour, size = _offered(device, rs.stream.color, rs.format.rgb8), (camera.width, camera.height)
    if (*size, rate) not in colour:
        found = ", ".join(f"{w}x{h} at {fps}" for w, h, fps in sorted(colour)) or "no colour"
        wanted = f"{size[0]}x{size[1]} at {rate}, as in the cell file"
        raise Invalid("size", found, wanted, "calibrate at a size and rate that the camera has")
    config.enable_stream(rs.stream.color, *size, rs.format.rgb8, rate)
    if not settings.depth:
        return
    offered = _offered(device, rs.stream.depth, rs.format.z16)
    sizes = {(w, h) for w, h, fps in offered if fps == rate}
    if not sizes:
        wanted = f"depth at {rate} frames a second"
        raise Invalid("depth", sorted(offered), wanted, "do without: depth:=false")
    # Aligned, it has colour's size anyhow.
    config.enable_stream(
        rs.stream.depth, *(size if size in sizes else max(sizes)), rs.format.z16, rate
    )


def _offered(device: Any, stream: Any, pixels: Any) -> set[tuple[int, int, int]]:
    """Widths, heights and rates."""
    profiles = [one for sensor in device.query_sensors() for one in sensor.get_stream_profiles()]
    videos = [
        one.as_video_stream_profile()
        for one in profiles
        if one.stream_type() == stream and one.format() == pixels
    ]
    return {(one.width(), one.height(), one.fps()) for one in videos}


def _info(device: Any, key: Any) -> str:
    return str(device.get_info(key)) if device.supports(key) else ""

"""What is asked of a camera, and how its options are set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import calibration.cell
from policy.contract import Invalid

from .library import library

EXPOSURE_US = (0, 165_000)
WHITE_BALANCE_K = (0, 6500)


@dataclass(frozen=True)
class Settings:
    """Size and rate are those of the cell file's camera. Without a serial number, the only camera
    there is; a `recording` stands in for one, and plays over and over. Zero is automatic."""

    camera: calibration.cell.Camera
    serial: str = ""
    recording: str = ""
    depth: bool = True
    exposure: int = 0  # µs
    white_balance: int = 0  # K

    def __post_init__(self) -> None:
        if not self.recording:
            return
        for field in ("serial", "exposure", "white_balance"):
            if found := getattr(self, field):
                raise Invalid(field, found, "nothing, with a recording", "leave one of them out")

    @property
    def rate(self) -> int:
        return round(1 / self.camera.period.value)


def apply(sensors: Sequence[Any], settings: Settings) -> None:
    """To those of one camera. Automatic is set too: cameras remember what was before."""
    stream, option = library().stream, library().option
    for sensor in sensors:
        # In the dark, a longer exposure must not halve the rate; and our own clock fit takes the
        # place of the library's, so that all stamps are of one clock.
        for name in (option.auto_exposure_priority, option.global_time_enabled):
            if sensor.supports(name):
                sensor.set_option(name, 0.0)
    # Some cameras give colour from the very sensor that gives depth.
    sensor = next(
        one
        for one in sensors
        if any(profile.stream_type() == stream.color for profile in one.get_stream_profiles())
    )
    unit = 1 if sensor.is_depth_sensor() else 100  # µs: colour cameras of their own count in 100
    auto, manual = option.enable_auto_exposure, option.exposure
    _choose(sensor, "exposure", settings.exposure, unit, auto, manual)
    auto, manual = option.enable_auto_white_balance, option.white_balance
    _choose(sensor, "white_balance", settings.white_balance, 1, auto, manual)


def _choose(sensor: Any, field: str, value: int, unit: int, automatic: Any, manual: Any) -> None:
    if not value:
        if sensor.supports(automatic):
            sensor.set_option(automatic, 1.0)
        return
    if not sensor.supports(manual):
        raise Invalid(field, value, "0: this camera has no such option", "leave it out")
    allowed = sensor.get_option_range(manual)
    low, high = allowed.min * unit, allowed.max * unit
    if not low <= value <= high:
        raise Invalid(
            field, value, f"{low:.0f} to {high:.0f}, or 0", "choose one that the camera has"
        )
    if sensor.supports(automatic):
        sensor.set_option(automatic, 0.0)
    step = allowed.step or 1.0
    sensor.set_option(manual, allowed.min + step * round((value / unit - allowed.min) / step))

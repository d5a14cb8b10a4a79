"""What is asked of a camera: options on the library's software sensor, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
from regrasp_nodes.realsense.settings import apply
from soft_camera import rs, settings, stream

from policy.contract import Invalid

EXPOSURE = (1.0, 10_000.0, 1.0, 156.0)  # of a D435's colour camera, in 100 us
WHITE = (2800.0, 6500.0, 10.0, 4600.0)


def colour_sensor(device: Any, *without: Any) -> Any:
    sensor, option = device.add_sensor("RGB Camera"), rs.option
    sensor.add_video_stream(stream(rs.stream.color, rs.format.rgb8, 3))
    for name, (low, high, step, default) in {
        option.exposure: EXPOSURE,
        option.white_balance: WHITE,
        option.enable_auto_exposure: (0.0, 1.0, 1.0, 1.0),
        option.enable_auto_white_balance: (0.0, 1.0, 1.0, 1.0),
        option.auto_exposure_priority: (0.0, 1.0, 1.0, 1.0),
        option.global_time_enabled: (0.0, 1.0, 1.0, 1.0),
    }.items():
        if name in without:
            continue
        span = rs.option_range()
        span.min, span.max, span.step, span.default = low, high, step, default
        sensor.add_option(name, span, True)
    return sensor


def applied(sensor: Any, **choices: Any) -> dict[str, float]:
    apply([sensor], settings(**choices))
    names = ("exposure", "enable_auto_exposure", "white_balance", "enable_auto_white_balance")
    return {name: sensor.get_option(getattr(rs.option, name)) for name in names}


def test_automatic_unless_chosen() -> None:
    device = rs.software_device()
    sensor = colour_sensor(device)
    chosen = applied(sensor, exposure=8000, white_balance=4123)
    assert chosen == {
        "exposure": 80.0,
        "enable_auto_exposure": 0.0,
        "white_balance": 4120.0,
        "enable_auto_white_balance": 0.0,
    }
    again = applied(sensor)
    assert again["enable_auto_exposure"] == again["enable_auto_white_balance"] == 1.0


def test_the_rate_holds_in_the_dark_and_the_clock_is_the_cameras() -> None:
    device = rs.software_device()
    sensor = colour_sensor(device)
    applied(sensor)
    assert sensor.get_option(rs.option.auto_exposure_priority) == 0.0
    assert sensor.get_option(rs.option.global_time_enabled) == 0.0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("exposure", 50, "exposure: found 50, wanted 100 to 1000000, or 0"),
        ("white_balance", 2000, "white_balance: found 2000, wanted 2800 to 6500, or 0"),
    ],
)
def test_out_of_range(field: str, value: int, said: str) -> None:
    device = rs.software_device()
    with pytest.raises(Invalid) as refused:
        apply([colour_sensor(device)], settings(**{field: value}))
    assert said in str(refused.value)


def test_an_option_that_the_camera_lacks() -> None:
    device = rs.software_device()
    sensor = colour_sensor(device, rs.option.white_balance)
    apply([sensor], settings())
    with pytest.raises(Invalid, match="this camera has no such option; leave it out"):
        apply([sensor], settings(white_balance=4000))


@pytest.mark.parametrize(
    ("field", "value"), [("serial", "1"), ("exposure", 1), ("white_balance", 1)]
)
def test_a_recording_is_as_it_was_recorded(field: str, value: object) -> None:
    with pytest.raises(Invalid, match=f"{field}: found .* wanted nothing, with a recording"):
        settings(recording="a.db3", **{field: value})

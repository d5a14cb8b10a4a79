"""The twin's node in a process of its own: its time, its end, and what it refuses to be."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from ros_doing import Program, told, until
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from twin_doing import CHEAP, COLOUR, DEPTH, START_S, drive, node, ns, running, talking, words

from policy.contract import Invalid

LONG_S = 18


def test_scaled_time_is_told_by_clock_and_stamps_are_in_it() -> None:
    factor = 3.0
    with (
        running(use_sim_time=True, factor=factor, **CHEAP) as context,
        talking(context, use_sim_time=True) as client,
    ):
        clock = client.hear(Clock, "/clock", qos_profile_sensor_data)
        until(lambda: len(clock) > 20, START_S)
        begin, wall = ns(clock[-1].clock), time.monotonic()
        # So long that it cannot matter what it catches up with: half a second of the wall's.
        until(lambda: ns(clock[-1].clock) > begin + LONG_S * 10**9, START_S)
        assert 0.9 / factor < (time.monotonic() - wall) / LONG_S < 5.0
        assert (np.diff([ns(m.clock) for m in clock]) >= 0).all()
        image = client.next(Image, f"{DEPTH}/image_raw", qos_profile_sensor_data)
        assert 0 < ns(image.header.stamp) <= ns(clock[-1].clock)
        assert f"{COLOUR}/image_raw" not in dict(client.get_topic_names_and_types())
        start = client.place().position.z
        drive(client, lambda: client.twist(-0.1), lambda: client.place().position.z < start - 0.03)
        assert client.health()[1]["seed"] == "0"


FAILING = """
from sim.twin import Twin
from regrasp_nodes.twin_node import main
tick = Twin._tick
def failing(self):
    if self.time_ns > 100_000_000:
        raise ZeroDivisionError("the physics' fault")
    tick(self)
Twin._tick = failing
main()
"""


def test_a_twin_that_fails_ends_its_node() -> None:
    with Program(FAILING, *words(**CHEAP)) as program:
        until(lambda: program.process.poll() is not None, START_S)
        assert program.ends() == 1
    errors = "\n".join(program.errors)
    assert "the twin failed: ZeroDivisionError" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cameras": ["nose_depth"]}, "cameras: found 'nose_depth'"),
        ({"preset": "attic"}, "preset: found 'attic'"),
        ({"camera_rate": 500.0}, "feed.rate: found 500.0"),
    ],
)
def test_what_it_cannot_be_it_says(wrong: dict[str, Any], message: str) -> None:
    with told() as context, pytest.raises(Invalid, match=message):
        node(context, **CHEAP | wrong)

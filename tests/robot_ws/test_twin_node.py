"""The twin as other nodes meet it: what it tells, and what it does when it is told."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from regrasp_msgs.msg import ArmStatus
from ros_doing import PATIENCE_S, until
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from twin_doing import CHEAP, COLOUR, DEPTH, Client, drive, ns, ready, standing

from calibration import load_cell
from sim.env import TWIN

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture(scope="module")
def pair() -> Iterator[Client]:
    with standing(**CHEAP | {"cameras": ["wrist", "wrist_depth"]}) as client:
        yield client


@pytest.fixture
def client(pair: Client) -> Client:
    return ready(pair)


# What it tells ------------------------------------------------------------------------------------


def test_pictures_depth_and_their_cameras_come_together(client: Client) -> None:
    heard = {
        f"{base}/{end}": client.hear(kind, f"{base}/{end}", qos_profile_sensor_data)
        for base in (COLOUR, DEPTH)
        for kind, end in ((Image, "image_raw"), (CameraInfo, "camera_info"))
    }

    def together() -> Any:
        sets = [{ns(m.header.stamp) for m in messages} for messages in heard.values()]
        return set.intersection(*sets)

    [*_, when] = sorted(until(together))
    picture, about, depth, same = (
        next(m for m in messages if ns(m.header.stamp) == when) for messages in heard.values()
    )
    assert 0 < time.time() - when * 1e-9 < PATIENCE_S
    assert (picture.encoding, picture.height, picture.width, picture.step) == (
        "rgb8", 480, 640, 1920,
    )  # fmt: skip
    assert np.frombuffer(picture.data, np.uint8).std() > 10
    assert (depth.encoding, depth.step, depth.is_bigendian) == ("16UC1", 1280, 0)
    millimetres = np.frombuffer(depth.data, np.uint16).reshape(480, 640)
    camera = load_cell(TWIN).cameras["wrist"]
    assert camera.depth is not None
    near, far = camera.depth.span.value
    known = millimetres[millimetres > 0]
    assert known.size > 100_000
    assert 1000 * near - 1 < known.min() <= known.max() < 1000 * far + 1
    for message in (picture, about, depth, same):
        assert message.header.frame_id == "wrist_color_optical_frame"
    (fx, fy), (cx, cy) = camera.focal.value, camera.centre.value
    for info in (about, same):
        assert (info.width, info.height, info.distortion_model) == (640, 480, "plumb_bob")
        assert list(info.k) == [fx, 0, cx, 0, fy, cy, 0, 0, 1]
        assert len(info.d) == 5


def test_the_arm_and_the_fingers_tell_where_they_are(client: Client) -> None:
    joints = client.hear(JointState, "/joint_states")
    until(lambda: len(joints) > 20)
    assert list(joints[-1].name) == [f"joint{i}" for i in range(7)]
    for field in ("position", "velocity", "effort"):
        assert len(getattr(joints[-1], field)) == 7
    steps = np.diff([ns(m.header.stamp) for m in joints]) * 1e-9
    assert np.median(steps) == pytest.approx(0.01, abs=0.001)
    tcp = client.next(PoseStamped, "/tcp_pose")
    assert tcp.header.frame_id == "base"
    assert 0.2 < tcp.pose.position.z < 0.4
    q = tcp.pose.orientation
    assert math.hypot(q.x, q.y, q.z, q.w) == pytest.approx(1)
    fingers = client.next(JointState, "/gripper/joint_states")
    assert list(fingers.name) == ["gripper_width"]
    assert fingers.position[0] == pytest.approx(0.08, abs=0.001)


def test_the_truth_is_told_and_resets_change_it(client: Client) -> None:
    def truth() -> Any:
        return json.loads(client.next(String, "/twin/truth").data)

    before = truth()
    assert before["objects_in_bin"] == before["objects"] >= 6
    assert before["held"] is False
    place = client.place().position
    assert np.allclose(before["tcp"], [place.x, place.y, place.z], atol=0.01)
    one, other = client.ask("/twin/reset_objects"), client.ask("/twin/reset")
    assert one.success
    assert other.success


def test_its_health_is_diagnosed(client: Client) -> None:
    status, figures = client.health()
    assert figures.keys() >= {"real-time factor", "lag (s)", "wrist: frames delivered"}
    assert status.message


# What it is told ----------------------------------------------------------------------------------


def test_a_velocity_is_followed(client: Client) -> None:
    start = client.place().position.z
    drive(client, lambda: client.twist(-0.1), lambda: client.place().position.z < start - 0.03)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("frame_id", {"frame": "tool"}), ("stamp", {"age": 0.5}), ("stamp", {"age": -1.0}),
        ("value", {"z": math.nan}),
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused_and_counted(
    client: Client, field: str, wrong: dict[str, Any]
) -> None:
    key = f"commands refused: {field}"
    before, start = int(client.health()[1].get(key, 0)), client.place().position.z
    heard = client.hear(Log, "/rosout")
    drive(
        client,
        lambda: client.twist(**{"z": -0.1} | wrong),
        lambda: int(client.health()[1].get(key, 0)) > before,
    )
    assert client.place().position.z == pytest.approx(start, abs=0.002)
    until(lambda: any(f"command refused: {field}: found" in m.msg for m in heard))


def test_a_pose_is_gone_to(client: Client) -> None:
    goal = client.place()
    goal.position.y += 0.04

    def near() -> bool:
        return bool(abs(client.place().position.y - goal.position.y) < 0.003)

    drive(client, lambda: client.target(goal), near)


def test_stops_latch_and_are_told_to_who_comes_late(client: Client) -> None:
    assert client.ask("/arm/emergency_stop").success
    status = client.hear(ArmStatus, "/arm/status", LATCHED)
    until(lambda: status and status[-1].mode == ArmStatus.EMERGENCY_STOP)
    assert "emergency" in status[-1].reason
    refused = client.ask("/arm/clear")
    assert not refused.success
    assert "release first" in refused.message
    assert client.ask("/arm/release").success
    until(lambda: status[-1].mode == ArmStatus.PROTECTIVE_STOP)
    assert client.ask("/arm/clear").success
    until(lambda: status[-1].mode == ArmStatus.READY)


def test_faults_are_read_strictly(client: Client) -> None:
    heard = client.hear(Log, "/rosout")
    for text in ('{"drop": 2.0}', '{"dorp": 0.1}', "drop", '{"freeze": ["nose"]}'):
        heard.clear()
        client.inject(text)
        until(lambda: any("faults refused" in m.msg for m in heard))
    frames = client.hear(Image, f"{DEPTH}/image_raw", qos_profile_sensor_data)
    client.inject('{"freeze": ["wrist"]}')
    frozen = until(lambda: len(frames) > 3 and frames[-1].header == frames[-2].header)
    assert frozen
    client.inject("{}")
    last = ns(frames[-1].header.stamp)
    until(lambda: ns(frames[-1].header.stamp) > last)

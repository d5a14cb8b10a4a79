"""The node as a process, on a recording: what others on the network get from it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from regrasp_nodes.camera_node import CameraNode
from ros_doing import Program, spinning, told, until
from sensor_msgs.msg import CameraInfo, Image
from soft_camera import BENT, FOCAL, HEIGHT, WIDTH, pixels_of, record, small_cell

from calibration.cellfile import save_cell
from policy.contract import Invalid

NODE = """
from regrasp_nodes.camera_node import main
main()
"""
COLOUR, DEPTH = "/camera/front/color", "/camera/front/aligned_depth_to_color"
FRAMES = 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("camera")
    save_cell(small_cell(), folder / "cell.yaml")
    record(folder / "camera.db3", FRAMES)
    return folder


def arguments(files: Path, **parameters: object) -> list[str]:
    given = {"cell": files / "cell.yaml", "recording": files / "camera.db3", **parameters}
    words = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
    return ["--ros-args", *words]


@contextmanager
def node(files: Path, **parameters: object) -> Iterator[Program]:
    with Program(NODE, *arguments(files, **parameters)) as program:
        yield program


@contextmanager
def heard(*topics: tuple[type, str]) -> Iterator[dict[str, list[Any]]]:
    with told() as context:
        ear = Node("ear", context=context)
        got: dict[str, list[Any]] = {}
        for kind, topic in topics:
            got[topic] = []
            ear.create_subscription(kind, topic, got[topic].append, qos_profile_sensor_data)
        with spinning(ear):
            yield got
        ear.destroy_node()


def seconds(message: Any) -> float:
    return float(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)


def test_what_it_publishes(files: Path) -> None:
    pictures = [(Image, f"{base}/image_raw") for base in (COLOUR, DEPTH)]
    infos = [(CameraInfo, f"{base}/camera_info") for base in (COLOUR, DEPTH)]
    topics = [*pictures, *infos, (DiagnosticArray, "/diagnostics")]
    with heard(*topics) as got, node(files) as program:
        until(
            lambda: (
                program.process.poll() is not None
                or all(len(messages) > 2 for messages in got.values())
            )
        )
        assert program.process.poll() is None, program.errors
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == 0, program.errors
    assert "Traceback" not in "\n".join(program.errors)
    colour, depth = got[f"{COLOUR}/image_raw"], got[f"{DEPTH}/image_raw"]
    known = [pixels_of(number).tobytes() for number in range(1, FRAMES + 1)]
    for message in colour:
        assert (message.encoding, message.width, message.height) == ("rgb8", WIDTH, HEIGHT)
        assert message.step == 3 * WIDTH
        assert bytes(message.data) in known
    for message in depth:
        assert (message.encoding, message.step, message.is_bigendian) == ("16UC1", 2 * WIDTH, 0)
        millimetres = np.frombuffer(message.data, np.uint16).reshape(HEIGHT, WIDTH)
        assert 500 < millimetres[HEIGHT // 2, WIDTH // 2] <= 500 + FRAMES
    stamps = [seconds(message) for message in colour]
    assert (np.diff(stamps) > 0).all()
    assert len({message.header.frame_id for message in (*colour, *depth)}) == 1
    assert colour[0].header.frame_id == "front_color_optical_frame"
    for base in (COLOUR, DEPTH):
        info = got[f"{base}/camera_info"][-1]
        assert (info.width, info.height, info.distortion_model) == (WIDTH, HEIGHT, "plumb_bob")
        assert (info.k[0], info.k[2], info.p[6]) == (FOCAL, WIDTH / 2, HEIGHT / 2)
        assert len(info.d) == 5
        assert info.d[0] == pytest.approx(-BENT, rel=0.05)  # ROS: from the world
    taken = {seconds(info) for info in got[f"{COLOUR}/camera_info"]}
    assert taken & set(stamps)  # an info belongs to its picture
    [status] = got["/diagnostics"][-1].status
    figures = {one.key: one.value for one in status.values}
    assert status.name == "camera"
    assert figures["serial"] == "soft-1"
    assert int(figures["frames"]) > 0
    assert {
        "rate (1/s)",
        "age p50 (ms)",
        "age p99 (ms)",
        "dropped",
        "duplicates",
        "frozen",
        "clock fit residual (ms)",
    } < figures.keys()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"camera": "wrist"}, "camera: found 'wrist', wanted a camera of cell 'twin': front"),
        ({"exposure": 8000}, "exposure: found 8000, wanted nothing, with a recording"),
    ],
)
def test_what_cannot_be_is_refused(files: Path, parameters: dict[str, Any], said: str) -> None:
    rclpy.init(args=arguments(files, **parameters), signal_handler_options=SignalHandlerOptions.NO)
    try:
        with pytest.raises(Invalid) as refused:
            CameraNode()
    finally:
        rclpy.shutdown()
    assert said in str(refused.value)


def test_a_recording_that_is_none_ends_it(files: Path) -> None:
    """Found out while it runs, in the driver's thread."""
    with node(files, recording="/none.db3") as program:
        assert program.ends() == 2
    assert "recording: found '/none.db3', wanted a recording" in "\n".join(program.errors)
    assert "Traceback" not in "\n".join(program.errors)


def test_it_waits_for_a_camera_and_ends_when_told(files: Path) -> None:
    with node(files, recording="''", serial="_000") as program:
        until(lambda: any("no RealSense with serial number 000" in line for line in program.errors))
        program.process.send_signal(signal.SIGINT)
        assert program.ends() == 0, program.errors

"""The node between a device and the guard: what is pressed is not lost."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import try_shutdown
from regrasp_msgs.msg import GuardState
from regrasp_nodes.teleop import DEVICES
from regrasp_nodes.teleop_node import TeleopNode
from ros_doing import PREFACE, spinning, until
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def nodes() -> Iterator[tuple[TeleopNode, Node]]:
    rclpy.init()
    teleop, other = TeleopNode(), Node("guard")
    try:
        with spinning(teleop), spinning(other):
            yield teleop, other
    finally:
        teleop.destroy_node()
        other.destroy_node()
        try_shutdown()


def test_stop_is_said_until_the_guard_has_stopped(nodes: tuple[TeleopNode, Node]) -> None:
    """Even to one that comes only later."""
    teleop, other = nodes
    pad = other.create_publisher(Joy, "/joy", LATEST)
    state = other.create_publisher(GuardState, "/guard/state", LATCHED)
    until(pad.get_subscription_count)
    button = DEVICES["gamepad"].stop
    assert button is not None
    pad.publish(Joy(axes=[0.0] * 8, buttons=[int(k == button) for k in range(11)]))
    until(lambda: teleop._stopping)
    heard: list[int] = []

    def stop(_: Any, response: Any) -> Any:
        heard.append(1)
        response.success = True
        return response

    other.create_service(Trigger, "/guard/stop", stop)
    until(lambda: len(heard) > 1)
    state.publish(GuardState(mode=GuardState.STOPPED, reason="a person pressed stop"))
    until(lambda: not teleop._stopping)


def test_without_a_terminal_the_keyboard_is_refused() -> None:
    """As under a launch that no terminal started: nobody could press stop."""
    program = f"{PREFACE}\nfrom regrasp_nodes.teleop_node import main\nmain()"
    ended = subprocess.run(
        [sys.executable, "-c", program, "--ros-args", "-p", "device:=keyboard"],
        stdin=subprocess.PIPE, start_new_session=True, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "device: found 'keyboard', wanted a terminal" in ended.stderr
    assert "gamepad" in ended.stderr


def test_a_terminal_that_is_gone_is_told() -> None:
    """Closed under a node that was to outlive it: nobody could press stop any more."""
    master, slave = pty.openpty()

    def adopt() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    program = f"{PREFACE}\nfrom regrasp_nodes.teleop_node import main\nmain()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "--ros-args", "-p", "device:=keyboard"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=adopt,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()  # the keys
            os.close(slave)
            os.close(master)
            line = process.stderr.readline()
            assert "the terminal is gone" in line
            assert "another terminal" in line
        finally:
            process.terminate()

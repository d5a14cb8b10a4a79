"""ROS nodes that come and go, and pictures that go on: nothing is lost, nothing is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

HERE = Path(__file__).parent
CROWD = (4, 4, 3, 3, 3, 3)  # nodes in each process


@pytest.fixture
def node() -> Iterator[Node]:
    rclpy.init(args=[])
    made = Node("observer")
    yield made
    made.destroy_node()
    rclpy.shutdown()


def start(script: str, *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "rosless", "run", str(HERE / script), *words]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def spin_until(node: Node, done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "not in time"
        rclpy.spin_once(node, timeout_sec=0.05)


def held() -> dict[str, int]:
    """What this process holds: threads, files and sockets; and what the machine shares."""
    own = Path("/proc/self")
    return {
        "threads": len(list((own / "task").iterdir())),
        "files": len(list((own / "fd").iterdir())),
        "shared": len(list(Path("/dev/shm").iterdir())),
        "children": len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()),
    }


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def come_and_go(node: Node, rounds: int) -> None:
    heard: set[str] = set()
    node.create_subscription(String, "/crowd", lambda message: heard.add(message.data), 100)
    names = [f"p{k}_{number}" for k, count in enumerate(CROWD) for number in range(count)]
    chance = random.Random(0)
    before: dict[str, int] | None = None
    for number in range(rounds):
        processes = [start("ros_crowd.py", f"p{k}", str(count)) for k, count in enumerate(CROWD)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        heard.clear()
        spin_until(node, lambda: heard.issuperset(names), 30)
        assert set(names) <= set(node.get_node_names())
        killed = set(chance.sample(range(len(processes)), 3))
        for k, process in enumerate(processes):
            process.send_signal(signal.SIGKILL if k in killed else signal.SIGINT)
        for k, process in enumerate(processes):
            process.communicate(timeout=20)
            assert process.returncode == (-signal.SIGKILL if k in killed else 0)
        spin_until(node, lambda: not set(names) & set(node.get_node_names()), 10)
        if number == 0:
            before, memory = held(), resident_mb()
    assert held() == before
    assert resident_mb() - memory < 20


def test_nodes_come_and_go_and_leave_nothing(node: Node) -> None:
    come_and_go(node, 2)


@pytest.mark.soak
def test_a_hundred_times(node: Node) -> None:
    come_and_go(node, 100)


def watch(node: Node, seconds: float) -> dict[str, Any]:
    """What came of two cameras' pictures."""
    seen: dict[int, list[int]] = {0: [], 1: []}
    broken = [0]

    def take(camera: int) -> Callable[[Image], None]:
        def taken(message: Image) -> None:
            number = message.header.stamp.sec
            seen[camera].append(number)
            pixels = np.frombuffer(message.data, np.uint8)
            broken[0] += pixels.size != 921_600 or pixels[0] != number % 251

        return taken

    for camera in seen:
        topic = f"/camera_{camera}/image_raw"
        node.create_subscription(Image, topic, take(camera), QoSProfile(depth=10))
    process = start("ros_streams.py")
    spin_until(node, lambda: all(len(one) > 30 for one in seen.values()), 30)
    memory, end = resident_mb(), time.monotonic() + seconds
    spin_until(node, lambda: time.monotonic() > end, seconds + 10)
    assert process.stdin is not None
    process.stdin.close()
    assert process.stdout is not None
    sent = int(process.stdout.readline())
    spin_until(node, lambda: all(one[-1] == sent for one in seen.values()), 10)
    process.stdout.close()
    process.wait(10)
    lost = {camera: sent - numbers[0] + 1 - len(numbers) for camera, numbers in seen.items()}
    grown = resident_mb() - memory
    return {"sent": sent, "lost": lost, "broken": broken[0], "grown_mb": grown}


def test_no_picture_of_two_cameras_is_lost(node: Node) -> None:
    found = watch(node, 3)
    assert found["lost"] == {0: 0, 1: 0}
    assert found["broken"] == 0


@pytest.mark.soak
def test_no_picture_is_lost_in_ten_minutes(node: Node) -> None:
    found = watch(node, 600)
    print(found)
    assert found["lost"] == {0: 0, 1: 0}
    assert found["broken"] == 0
    assert found["sent"] > 17_500
    assert found["grown_mb"] < 20

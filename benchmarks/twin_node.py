"""What the twin's node costs beside the twin alone, how old a picture is when it is there, and how
much faster than the wall the node's time can go.

    python -m benchmarks.twin_node

Both run in a process of their own, in turns; the processors' time is the kernel's count. Pictures
are received here, in a second process, as a policy would.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rosless  # noqa: F401 - rclpy, where ROS is not

import rclpy  # isort: skip
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from benchmarks.harness import machine
from benchmarks.processes import busy_s

RESULT = Path(__file__).with_name("results") / "twin_node.json"
KINDS = {"wrist": "color", "wrist_depth": "aligned_depth_to_color"}
CASES = (("wrist_depth",), ("wrist",), ("wrist", "wrist_depth"))
FACTORS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
WARM_S, PATIENCE_S = 3.0, 60.0
HOLDS = 0.98  # of the wanted factor, and of the frames

ALONE = """
import contextlib, sys, time
from sim.twin import Twin, TwinConfig
with Twin(config=TwinConfig(cameras=tuple(sys.argv[1:]))), contextlib.suppress(KeyboardInterrupt):
    print("runs", flush=True)
    time.sleep(1e6)
"""


@dataclass(frozen=True)
class Cost:
    images: tuple[str, ...]
    cores_alone: float
    cores: float
    age_ms_p50: float
    age_ms_p95: float
    rate: float


@dataclass(frozen=True)
class Pace:
    rate: float
    factor: float
    reached: float
    frames: float  # share of those that were due
    cores: float


class Eye(Node):
    """Notes when a picture was taken and when it was here."""

    def __init__(self, images: tuple[str, ...]) -> None:
        super().__init__("eye")
        self.seen: dict[str, list[tuple[int, int]]] = {name: [] for name in images}
        for name in images:
            topic = f"/camera/wrist/{KINDS[name]}/image_raw"
            self.create_subscription(
                Image, topic, lambda m, name=name: self._note(name, m), qos_profile_sensor_data
            )

    def _note(self, name: str, message: Any) -> None:
        stamp = message.header.stamp
        self.seen[name].append((stamp.sec * 10**9 + stamp.nanosec, time.time_ns()))

    def since(self, begin: int) -> list[list[tuple[int, int]]]:
        return [[one for one in list(seen) if one[1] >= begin] for seen in self.seen.values()]


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(PATIENCE_S)


@contextmanager
def node(images: tuple[str, ...], **parameters: object) -> Iterator[tuple[int, Eye]]:
    given = {"cameras": json.dumps(images), **parameters}
    words = [word for key, value in given.items() for word in ("-p", f"{key}:={value}")]
    command = ("-m", "rosless", "run", "regrasp_nodes.twin_node", "--ros-args", *words)
    with process(*command) as running:
        rclpy.init(args=[])
        eye, executor = Eye(images), SingleThreadedExecutor()
        executor.add_node(eye)
        spinner = threading.Thread(target=executor.spin)
        spinner.start()
        try:
            end = time.monotonic() + PATIENCE_S
            while not all(eye.seen.values()):
                if running.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{' '.join(command)}: no picture came")
                time.sleep(0.05)
            time.sleep(WARM_S)
            yield running.pid, eye
        finally:
            executor.shutdown()
            spinner.join()
            rclpy.shutdown()


def cores(pid: int, seconds: float) -> float:
    busy, begin = busy_s(pid), time.monotonic()
    time.sleep(seconds)
    return (busy_s(pid) - busy) / (time.monotonic() - begin)


def cost(images: tuple[str, ...], seconds: float, rounds: int) -> Cost:
    alone, beside, ages, counts = [], [], list[float](), list[float]()
    for _ in range(rounds):
        with process("-c", ALONE, *images) as running:
            assert running.stdout is not None
            running.stdout.readline()
            time.sleep(WARM_S)
            alone.append(cores(running.pid, seconds))
        with node(images) as (pid, eye):
            begin = time.time_ns()
            beside.append(cores(pid, seconds))
            for seen in eye.since(begin):
                ages += [(here - taken) * 1e-6 for taken, here in seen]
                counts.append(len(seen) / seconds)
    p50, p95 = (statistics.quantiles(ages, n=100)[k - 1] for k in (50, 95))
    middle = statistics.median
    return Cost(images, middle(alone), middle(beside), p50, p95, middle(counts))


def pace(rate: float, factor: float, seconds: float) -> Pace:
    given = {"camera_rate": rate, "factor": factor, "use_sim_time": "true"}
    with node(("wrist_depth",), **given) as (pid, eye):
        begin = time.time_ns()
        used = cores(pid, seconds)
        [seen] = eye.since(begin)
    (first, came), (last, ended) = seen[0], seen[-1]
    frames = (len(seen) - 1) / ((last - first) * 1e-9 * rate)
    return Pace(rate, factor, (last - first) / (ended - came), frames, used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))
    costs = [cost(images, given.seconds, given.rounds) for images in CASES]
    for one in costs:
        print(one, flush=True)
    paces = []
    for rate in (10.0, 30.0):
        for factor in FACTORS:
            paces.append(pace(rate, factor, given.seconds))
            print(paces[-1], flush=True)
            if min(paces[-1].reached / factor, paces[-1].frames) < HOLDS:
                break
    result = {
        "command": f"python -m benchmarks.twin_node --seconds {given.seconds:g} "
        f"--rounds {given.rounds}",
        "machine": machine(["mujoco", "numpy", "cyclonedds"]),
        "costs": [asdict(one) for one in costs], "paces": [asdict(one) for one in paces],
    }  # fmt: skip
    given.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

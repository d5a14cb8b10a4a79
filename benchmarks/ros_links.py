"""Ways from one process to another, for benchmarks/ros_latency.py: each takes a numpy array, and
gives one. `end` is "a" or "b"; they meet in a directory."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import rosless  # first: it makes rclpy importable where it is missing

Pixels = npt.NDArray[np.uint8]
SLOTS = 8
SHAPES = {"TwistStamped": (0, 0, 0), "128x128": (128, 128, 3), "640x480": (480, 640, 3)}


class Link(Protocol):
    def send(self, payload: Pixels, stamp: int) -> None: ...

    def receive(self) -> tuple[Pixels, int]: ...


class Ros:
    """rclpy: the real one where it can be imported, else rosless."""

    def __init__(self, case: str, place: Path, end: str) -> None:
        import rclpy
        from builtin_interfaces.msg import Time
        from geometry_msgs.msg import TwistStamped
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from sensor_msgs.msg import Image

        self._time, self._ours = Time, rosless.ACTIVE
        self._image = None if case == "TwistStamped" else Image
        kind = self._image or TwistStamped
        self._twist = TwistStamped
        rclpy.init(args=[])
        node = Node(f"{place.name}_{end}", start_parameter_services=False)
        there, here = _ways(end)
        self._publisher = node.create_publisher(kind, f"{place.name}/{there}", 10)
        self._subscription = node.create_subscription(kind, f"{place.name}/{here}", self._take, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._taken: list[tuple[Pixels, int]] = []
        while not (
            self._publisher.get_subscription_count() and self._subscription.get_publisher_count()
        ):
            time.sleep(0.01)

    def send(self, payload: Pixels, stamp: int) -> None:
        if self._image is None:
            message = self._twist()
        else:
            height, width, _ = payload.shape
            data = payload if self._ours else payload.tobytes()
            message = self._image(height=height, width=width, encoding="rgb8", data=data)
        seconds, nanoseconds = divmod(stamp, 10**9)
        message.header.stamp = self._time(sec=seconds, nanosec=nanoseconds)
        self._publisher.publish(message)

    def _take(self, message: Any) -> None:
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        pixels: Pixels = np.zeros(0, np.uint8)
        if self._image is not None:
            pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, -1, 3)
        self._taken.append((pixels, stamp))

    def receive(self) -> tuple[Pixels, int]:
        while not self._taken:
            self._executor.spin_once(1.0)
        return self._taken.pop(0)


class Zmq:
    """ZeroMQ over ipc, a msgpack header and the pixels."""

    def __init__(self, case: str, place: Path, end: str) -> None:
        import msgpack  # type: ignore[import-untyped]
        import zmq

        self._pack, self._unpack = msgpack.packb, msgpack.unpackb
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        there, here = _ways(end)
        self._out, self._in = context.socket(zmq.PUSH), context.socket(zmq.PULL)
        self._in.bind(f"ipc://{place / here}.zmq")
        self._out.connect(f"ipc://{place / there}.zmq")

    def send(self, payload: Pixels, stamp: int) -> None:
        header = self._pack({"stamp": stamp, "shape": payload.shape})
        self._out.send_multipart([header, payload.data], copy=False)

    def receive(self) -> tuple[Pixels, int]:
        header, pixels = self._in.recv_multipart(copy=False)
        told = self._unpack(header.buffer)
        return np.frombuffer(pixels.buffer, np.uint8).reshape(told["shape"]), told["stamp"]


class Ring:
    """Shared memory, and a datagram that says which slot: as fast as it gets."""

    def __init__(self, case: str, place: Path, end: str) -> None:
        self._shape, self._next = SHAPES[case], 0
        there, here = _ways(end)
        shape = (SLOTS, *(max(side, 1) for side in self._shape))
        self._in = np.memmap(place / f"{here}.ring", np.uint8, "w+", shape=shape)
        self._bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._bell.bind(str(place / here))  # now the other one may write
        self._to = place / there
        while not self._to.exists():
            time.sleep(0.01)
        self._out = np.memmap(place / f"{there}.ring", np.uint8, "r+", shape=shape)

    def send(self, payload: Pixels, stamp: int) -> None:
        self._next = (self._next + 1) % SLOTS
        if payload.size:
            self._out[self._next] = payload
        self._bell.sendto(np.array([self._next, stamp], np.int64).tobytes(), str(self._to))

    def receive(self) -> tuple[Pixels, int]:
        slot, stamp = np.frombuffer(self._bell.recv(16), np.int64).tolist()
        pixels = np.array(self._in[slot]) if self._shape[0] else np.zeros(self._shape, np.uint8)
        return pixels, stamp


def _ways(end: str) -> tuple[str, str]:
    """What it writes to, and what it reads from."""
    return ("there", "back") if end == "a" else ("back", "there")


LINKS: dict[str, type[Any]] = {"pyzmq": Zmq, "rosless": Ros, "rclpy": Ros, "shared memory": Ring}

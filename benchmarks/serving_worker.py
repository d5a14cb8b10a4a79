"""A round trip to our policy server: `python -m benchmarks.serving_worker WAY SIDE`.

WAY is tcp or ipc (frames over ZeroMQ), shared (copied into shared memory), in-place (the camera
has written them there), or echo (ZeroMQ alone: one part of each frame's size, and as small a
reply). The server is a process of its own, started here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import zmq

from benchmarks.harness import serve
from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.feed import Decision, Feed, FloatArray
from policy.serving.client import Client
from policy.serving.host import Host
from policy.serving.server import Server, ServerConfig
from policy.serving.watch import keep_memory

WAYS = ("tcp", "ipc", "shared", "in-place", "echo")
CAMERAS, STATE, ACTIONS = ("front", "wrist"), 8, 7


def interface(side: int) -> Interface:
    return Interface(
        ObservationSpec(
            tuple(ImageSpec(name, side, side) for name in CAMERAS),
            tuple(Entry(f"s{k}", "1", -1.0, 1.0) for k in range(STATE)),
            action_window=0,
        ),
        ActionSpec(tuple(ActionEntry(f"a{k}", "1", -1.0, 1.0) for k in range(ACTIONS))),
        0.2,
    )


class Noop:
    """What is measured is the way there and back."""

    name, version, stack = "noop", "0", 1

    def __init__(self, side: int) -> None:
        self.interface = interface(side)

    def act(
        self, feed: Feed, limits: FloatArray | None = None, seeds: Sequence[int] | None = None
    ) -> Decision:
        rows = len(feed["front"])
        action = np.zeros((rows, ACTIONS), np.float32)
        return Decision(action, np.zeros(rows, np.float32), self.version)


def run_server(address: str, side: int) -> None:
    keep_memory()
    with Host(Noop(side)) as host, Server(host, ServerConfig(address)) as server:
        print(server.address, flush=True)
        server.run()


def run_echo(address: str) -> None:
    keep_memory()
    router: zmq.Socket[bytes] = zmq.Context().socket(zmq.ROUTER)
    router.bind(address)
    print(router.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)
    while True:
        sender, *_ = router.recv_multipart(copy=False)
        router.send_multipart((sender, b"x" * 100))


def measure(way: str, side: int, address: str) -> None:
    random = np.random.default_rng(0)
    frames = {name: random.integers(0, 256, (1, side, side, 3), np.uint8) for name in CAMERAS}
    state = np.zeros((1, STATE), np.float32)
    if way == "echo":
        dealer: zmq.Socket[bytes] = zmq.Context().socket(zmq.DEALER)
        dealer.connect(address)

        def echo() -> None:
            dealer.send_multipart([b"x" * 250, *[one.data for one in frames.values()]])
            dealer.recv()

        serve(echo)
        return
    local = way in ("shared", "in-place")
    with Client(address, shared_memory=local) as client:
        assert client.shares_memory == local
        if way == "in-place":
            given = client.frames()
            for name, frame in frames.items():
                given[name][...] = frame
            frames = given
        feed = {**frames, "proprio": state}
        serve(lambda: client.act(feed), frame_bytes=sum(one.nbytes for one in frames.values()))


def main() -> None:
    way, side, *address = sys.argv[1:]
    if address:
        run_echo(address[0]) if way == "echo" else run_server(address[0], int(side))
        return
    with tempfile.TemporaryDirectory() as directory:
        bind = f"ipc://{Path(directory) / 'policy'}" if way == "ipc" else "tcp://127.0.0.1:*"
        command = [sys.executable, "-m", "benchmarks.serving_worker", way, side, bind]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as server:
            assert server.stdout is not None
            try:
                measure(way, int(side), server.stdout.readline().strip())
            finally:
                server.terminate()


if __name__ == "__main__":
    main()

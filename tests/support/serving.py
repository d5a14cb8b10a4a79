"""A real server, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import zmq
from factories import INTERFACE
from graphs import look

from policy.feed import Array, Decision, Feed, FloatArray, announced
from policy.serving.client import Client
from policy.serving.clock import CLOCK
from policy.serving.host import Host
from policy.serving.parcels import announce
from policy.serving.server import Server, ServerConfig
from policy.serving.wire import Ask, Message, pack, unpack


@contextmanager
def running(host: Host, directory: Path, **config: Any) -> Iterator[Server]:
    settings = {"bind": f"ipc://{directory}/policy", "max_age_s": 30.0, **config}
    with host, Server(host, ServerConfig(**settings)) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


@contextmanager
def pretending(directory: Path, reply: Callable[[Message], bytes]) -> Iterator[str]:
    """A server that says what it is told to, be it right or wrong; yields its address."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    address = f"ipc://{directory}/pretender"

    def run() -> None:
        with context.socket(zmq.ROUTER) as router, suppress(zmq.ContextTerminated):
            router.setsockopt(zmq.LINGER, 0)
            router.bind(address)
            while True:
                sender, header, *_ = router.recv_multipart()
                router.send_multipart((sender, reply(unpack(header))))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield address
    finally:
        context.term()
        thread.join()


class Still:
    """A policy in plain Python that stays where it is; it may be told to wait at a gate."""

    name, version, interface, stack = "still", "v0", INTERFACE, 1

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.gate, self.entered = gate, threading.Event()
        self.batches: list[int] = []

    def act(
        self, feed: Feed, limits: FloatArray | None = None, seeds: Sequence[int] | None = None
    ) -> Decision:
        rows = len(feed["front"])
        self.batches.append(rows)
        self.entered.set()
        if self.gate:
            assert self.gate.wait(30)
        action = np.zeros((rows, len(INTERFACE.action)), np.float32)
        return Decision(action, np.zeros(rows, np.float32), self.version)


def door_of(server: Server) -> str:
    with Client(server.address, shared_memory=False) as client:
        return client.door


def ask(
    number: int,
    captured: int = 0,
    sent: int = 0,
    deadline: int = 10**10,
    clock: str = CLOCK,
    parts: list[bytes] | None = None,
    **vectors: Any,
) -> bytes:
    """A request for an observation of `look`; stamps are from now. Its frames are placed one after
    the other in shared memory, or go into `parts` of a message."""
    now, wanted = time.monotonic_ns(), announced(INTERFACE, 1)
    start = 0

    def put(_: str, frame: Array) -> int:
        nonlocal start
        if parts is not None:
            parts.append(frame.tobytes())
            return len(parts) - 1
        start += frame.nbytes
        return start - frame.nbytes

    arrays = announce(look(**vectors), wanted, put)
    stamps = now + captured, now + sent, now + deadline
    return pack(Ask(number, "robot", clock, *stamps, 0, arrays))

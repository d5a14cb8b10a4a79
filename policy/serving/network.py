"""The two ends of ZeroMQ: many robots, a header and a part for each frame."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import zmq
from zmq.auth.thread import ThreadAuthenticator

from policy.contract import ContractError, Invalid, Problem
from policy.serving.keys import ClientKeys, ServerKeys, require_safe
from policy.serving.local import gone
from policy.serving.parcels import Parcel
from policy.serving.wire import MAX_ARRAYS, MAX_HEADER, SPEAK

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Buffer: TypeAlias = "bytes | memoryview"
WAITING = 4  # messages of one client, in either direction
# Sending a buffer without a copy costs pyzmq a thread's help; worth it from about this size, as
# glibc would fetch the memory for the copy from the system each time.
LARGE = 1 << 18
PATIENCE_S = 1.0
DOMAIN = "regrasp"  # of the sockets whose clients are checked against the list


@contextmanager
def admitting(context: Context, keys: ServerKeys | None) -> Iterator[None]:
    """Let in whose public key is known, where there are keys."""
    if keys is None:
        yield
        return
    doorman = ThreadAuthenticator(context)
    doorman.start()
    try:
        doorman.configure_curve(domain=DOMAIN, location=str(keys.clients))
        yield
    finally:
        doorman.stop()


class Network:
    """The server's end. What clients can make it hold is bounded by the size of a part and the
    messages of each that wait; for the rest see policy/serving/watch.py."""

    def __init__(
        self, context: Context, address: str, largest: int, keys: ServerKeys | None = None
    ) -> None:
        require_safe(address, keys)
        self._context, self._largest, self._keys = context, largest, keys
        self.emptied_ns = time.monotonic_ns()  # when there was nothing to take, last
        self.socket = self._bind(address)
        self.address: str = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def reopen(self) -> None:
        """Drop all connections and all that they sent."""
        self.socket.close()
        self.socket = self._bind(self.address)

    def _bind(self, address: str) -> zmq.Socket[bytes]:
        found = self._context.socket(zmq.ROUTER)
        found.setsockopt(zmq.MAXMSGSIZE, max(MAX_HEADER, self._largest))
        found.setsockopt(zmq.RCVHWM, WAITING)
        found.setsockopt(zmq.SNDHWM, WAITING)
        found.setsockopt(zmq.LINGER, 0)
        found.setsockopt(zmq.HEARTBEAT_IVL, 2000)  # who is dead is forgotten
        found.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6000)
        if self._keys:
            found.setsockopt(zmq.CURVE_SERVER, 1)
            found.setsockopt(zmq.CURVE_SECRETKEY, self._keys.own.secret)
            found.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        try:
            _bind(found, address)
        except zmq.ZMQError as error:
            found.close()
            remedy = "choose another, or stop who has it"
            problem = Problem("bind", f"{address}: {error}", "an address that is free", remedy)
            raise ContractError("policy server", [problem]) from None
        if address.startswith("ipc://"):
            Path(address.removeprefix("ipc://")).chmod(0o600)
        return found

    def take(self, most: int) -> Iterator[Parcel]:
        """Up to `most` messages of those that are there."""
        for _ in range(most):
            try:
                part = sender = self.socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                self.emptied_ns = time.monotonic_ns()
                return
            parts: list[zmq.Frame] = []
            while part.more:
                part = self.socket.recv(copy=False)
                if len(parts) <= MAX_ARRAYS:  # the header, and what it may announce
                    parts.append(part)
            header = parts.pop(0).bytes if parts else b""
            yield self._parcel(sender.bytes, header, parts)

    def _parcel(self, sender: bytes, header: bytes, frames: list[zmq.Frame]) -> Parcel:
        def reach(number: int, length: int) -> memoryview:
            if number >= len(frames):
                raise Invalid("place", number, f"one of {len(frames)} parts", SPEAK)
            return frames[number].buffer

        def reply(packet: bytes) -> None:
            """A client that has gone, or takes nothing, does not get it."""
            self.socket.send_multipart((sender, packet), zmq.NOBLOCK)

        return Parcel(header, reach, reply)


def _bind(socket: zmq.Socket[bytes], address: str) -> None:
    """libzmq lets go of an address in a thread of its own, a moment after `close`."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.bind(address)
            return
        except zmq.ZMQError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
            time.sleep(0.01)


class Connection:
    """One ZeroMQ socket; a reply is looked for by the number of its request."""

    def __init__(self, address: str, keys: ClientKeys | None = None) -> None:
        self.address = address
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, WAITING)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing is kept for a server that is away
        if keys:
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server)
        self._socket.connect(address)

    def send(self, parts: Sequence[Buffer], seconds: float) -> None:
        try:
            self._send(parts)
        except zmq.Again:
            if not self._socket.poll(math.ceil(1e3 * seconds), zmq.POLLOUT):
                raise gone(f"no server at {self.address}") from None
            self._send(parts)

    def receive(self, seconds: float) -> bytes | None:
        """None if nothing came in time."""
        self._socket.setsockopt(zmq.RCVTIMEO, max(1, math.ceil(1e3 * seconds)))
        try:
            return self._socket.recv()
        except zmq.Again:
            return None

    def _send(self, parts: Sequence[Buffer]) -> None:
        self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False, copy_threshold=LARGE)

    def close(self) -> None:
        self._context.destroy(linger=0)

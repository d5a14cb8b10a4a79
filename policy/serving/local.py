"""The short way in for a client on the same machine: headers over a Unix socket, frames in memory
that both sides have mapped.

The server makes the memory, sealed against shrinking, so that a client can neither name a file to
map nor pull the pages away under a reader; it passes it over the socket, so that nothing lies in
a directory and nothing is left when either side dies: the socket closes, the memory goes. It is
read-only here, and only frames are put there: whatever a client writes into them while they are
read is still a picture. Vectors, which are checked, travel in the header.

One packet is one header. The socket's name is in Linux's abstract namespace; processes of other
users are turned away by the kernel's word on who they are.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import secrets
import socket
import struct
import sys

from policy.contract import ContractError, Invalid, Problem
from policy.serving.parcels import Parcel
from policy.serving.wire import MAX_HEADER

# Abstract sockets, sealed memory and packets over Unix sockets are Linux's.
AVAILABLE = sys.platform == "linux"
SLOTS = 2  # a camera may fill one while the other is looked at
AGAIN = "connect again"


class Guest:
    """The server's end of one client."""

    def __init__(self, connection: socket.socket, size: int) -> None:
        self._socket = connection
        connection.setblocking(False)
        handle = os.memfd_create("regrasp-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(handle, size)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, seals)
            self._memory = memoryview(mmap.mmap(handle, size, prot=mmap.PROT_READ))
            socket.send_fds(connection, [str(size).encode()], [handle])
        finally:
            os.close(handle)

    def fileno(self) -> int:
        return self._socket.fileno()

    def take(self) -> Parcel | None:
        """One packet; None when the client has gone. One that is too long is cut, and no header
        to anyone then."""
        try:
            packet = self._socket.recv(MAX_HEADER + 1)
        except OSError:
            return None
        return Parcel(packet, self._reach, self._reply) if packet else None

    def _reply(self, packet: bytes) -> None:
        """A client that does not take its answers, or has gone, does not get them."""
        try:
            self._socket.send(packet)
        except OSError:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # `take` finds that it has gone

    def _reach(self, start: int, length: int) -> memoryview:
        if start + length > len(self._memory):
            wanted = f"within the {len(self._memory)} shared bytes"
            raise Invalid("place", f"{start} to {start + length}", wanted, AGAIN)
        return self._memory[start : start + length]

    def close(self) -> None:
        """The memory goes when the last array that shows it does."""
        self._socket.close()


class Door:
    """Where clients on this machine come in, each given `size` bytes."""

    def __init__(self, size: int, most: int) -> None:
        self.name = f"regrasp-{os.getpid()}-{secrets.token_hex(8)}"
        self._size, self._most = size, most
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(f"\0{self.name}")
        self._socket.listen(most)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def admit(self, present: int) -> Guest | None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return None  # it has left already
        if present >= self._most or _user(connection) != os.geteuid():
            connection.close()
            return None
        try:
            return Guest(connection, self._size)
        except OSError:
            connection.close()
            return None

    def close(self) -> None:
        self._socket.close()


class Link:
    """The client's end."""

    def __init__(self, door: str) -> None:
        """`OSError` where there is no way in from here."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.settimeout(5.0)
            self._socket.connect(f"\0{door}")
            text, handles, *_ = socket.recv_fds(self._socket, 32, 1)
            if not handles or _user(self._socket) != os.geteuid():
                raise ConnectionRefusedError(f"no way in at {door}")
            try:
                self.memory = memoryview(mmap.mmap(handles[0], int(text)))
            finally:
                os.close(handles[0])
        except OSError:
            self._socket.close()
            raise

    def send(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
        except OSError as error:
            raise gone(error) from None

    def receive(self, seconds: float) -> bytes | None:
        """None if nothing came in time."""
        self._socket.settimeout(max(seconds, 1e-6))  # 0 would mean not to wait at all
        try:
            packet = self._socket.recv(MAX_HEADER)
        except TimeoutError:
            return None
        except OSError as error:
            raise gone(error) from None
        if not packet:
            raise gone("it hung up")
        return packet

    def close(self) -> None:
        self._socket.close()


def gone(why: object) -> ContractError:
    return ContractError(
        "policy server", [Problem("connection", str(why), "a server that answers", AGAIN)]
    )


def _user(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, user, _ = struct.unpack("3i", credentials)
    return int(user)

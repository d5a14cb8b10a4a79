"""ZeroMQ's protocol spoken by hand, to say what no library would."""

from __future__ import annotations

import socket
import struct

MORE, LONG, COMMAND = 1, 2, 4


def dial(port: int) -> socket.socket:
    """A connection whose handshake is done."""
    found = socket.create_connection(("127.0.0.1", port), timeout=30)
    found.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
    ready = b"\x05READY" + _property(b"Socket-Type", b"DEALER") + _property(b"Identity", b"")
    found.sendall(bytes([COMMAND, len(ready)]) + ready)
    return found


def frame(body: bytes, more: bool = False) -> bytes:
    return bytes([LONG | (MORE if more else 0)]) + struct.pack(">Q", len(body)) + body


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value

"""CDR, the bytes of a message: for each message two functions, compiled from its definition.

Plain CDR version 1, little-endian, as ROS 2 sends it: a header of four bytes, then the fields in
order, numbers at multiples of their size. Compiled, for it is on the way of every message: what
`rosbags` does field by field (the second opinion in the tests) is here one `struct` call for a run
of numbers, whatever the nesting.
"""

from __future__ import annotations

import struct
from typing import Any

from rosless.interfaces.classes import Message

from .decode import decoder
from .encode import Sink, encoder

HEADER = b"\0\1\0\0"


class Malformed(ValueError):
    """Bytes that are no message of the type they came as."""


def serialize(message: Message) -> bytes:
    return b"".join(pieces(message))


def pieces(message: Message, prefix: bytes = b"") -> list[Any]:
    """The message as buffers in order; `prefix`, a service's, comes behind the header."""
    sink = Sink(HEADER + prefix)
    sink.end(encoder(message.NAME, True)(message, bytearray(), sink))
    return sink.parts


def deserialize(data: Any, cls: type[Message], prefix: int = 0) -> Any:
    """`prefix` bytes, a service's, come behind the header."""
    buffer = memoryview(data)
    if buffer[:2] != HEADER[:2]:
        found = bytes(buffer[:2]).hex() or "nothing"
        raise Malformed(f"{cls.NAME}: found a header of {found}, wanted 0001, little-endian CDR")
    body = buffer[4 + prefix :]
    try:
        value, _ = decoder(cls.NAME, True)(body, 0)
    except (struct.error, ValueError) as error:
        raise Malformed(f"{cls.NAME}: {len(body)} bytes are no such message: {error}") from None
    return value

"""CDR, the bytes of a message: for each message two functions, compiled from its definition.

Plain CDR version 1, little-endian, as ROS 2 sends it: a header of four bytes, then the fields in
order, numbers at multiples of their size. Compiled, for it is on the way of every message: what
`rosbags` does field by field (the second opinion in the tests) is here one `struct` call for a run
of numbers, whatever the nesting.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from rosless.interfaces.classes import Message, message_class
from rosless.interfaces.definitions import Kind, definition
from rosless.interfaces.values import BYTES, DTYPES

HEADER = b"\0\1\0\0"
CODES = {
    **{"bool": "?", "byte": "B", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H"},
    **{"int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"},
}
LARGE = 4096  # bytes: an array from here on is not copied while its message is put together


class Malformed(ValueError):
    """Bytes that are no message of the type they came as."""


def serialize(message: Message) -> bytes:
    return b"".join(pieces(message))


def pieces(message: Message, prefix: bytes = b"") -> list[Any]:
    """The message as buffers in order; `prefix`, a service's, comes behind the header."""
    sink = Sink(HEADER + prefix)
    sink.end(encoder(message.NAME)(message, bytearray(), sink))
    return sink.parts


def deserialize(data: Any, cls: type[Message], prefix: int = 0) -> Any:
    """`prefix` bytes, a service's, come behind the header."""
    buffer = memoryview(data)
    if buffer[:2] != HEADER[:2]:
        found = bytes(buffer[:2]).hex() or "nothing"
        raise Malformed(f"{cls.NAME}: found a header of {found}, wanted 0001, little-endian CDR")
    body = buffer[4 + prefix :]
    try:
        return decoder(cls.NAME)(body, 0)[0]
    except (struct.error, ValueError) as error:
        raise Malformed(f"{cls.NAME}: {len(body)} bytes are no such message: {error}") from None


class Sink:
    """Where a message is put together: small things are copied into one buffer after the other,
    large arrays stand between them as they are."""

    def __init__(self, *first: bytes) -> None:
        self.parts: list[Any] = [*first]
        self._filled = 0  # bytes at a buffer's beginning that only keep numbers at their multiples

    def array(self, out: bytearray, values: np.ndarray) -> bytearray:
        """Append `values`; what follows goes into the buffer that is returned."""
        if values.size:
            out += bytes(-len(out) & (values.itemsize - 1))
        if values.nbytes < LARGE:
            out += values.tobytes()
            return out
        self.end(out)
        self.parts.append(values.data.cast("B"))
        self._filled = (len(out) + values.nbytes) % 8
        return bytearray(self._filled)

    def end(self, out: bytearray) -> None:
        self.parts.append(memoryview(out)[self._filled :])


@cache
def encoder(name: str) -> Any:
    """(message, buffer under way, sink) -> buffer under way"""
    code = _Encoder()
    code.message(name, "m")
    return code.compiled("encode(m, out, sink)", "out", name)


@cache
def decoder(name: str) -> Any:
    """(buffer, position) -> message, position behind it"""
    code = _Decoder()
    return code.compiled("decode(b, p)", f"{code.message(name)}, p", name)


class _Code:
    """Lines of a function under way. Numbers wait until something else comes, for they are packed
    together."""

    def __init__(self, **names: Any) -> None:
        self.names, self.lines = names, list[str]()
        self.bases, self.run = list[str](), list[str]()
        self.indent = "    "

    def compiled(self, signature: str, result: str, name: str) -> Any:
        self.flush()
        text = "\n".join([f"def {signature}:", *self.lines, f"    return {result}"])
        exec(compile(text, f"<CDR of {name}>", "exec"), self.names)
        return self.names[signature.partition("(")[0]]

    def add(self, *lines: str) -> None:
        self.lines += [self.indent + line for line in lines]

    def new(self, value: object = None) -> str:
        """A name, for `value` if there is one."""
        name = f"_{len(self.names)}"
        self.names[name] = value
        return name

    def number(self, base: str, item: str) -> None:
        self.bases.append(base)
        self.run.append(item)

    def packed(self) -> str:
        """The name of the run's structs, by where it begins, modulo 8."""
        found = []
        for start in range(8):
            form, place = "<", start
            for base in self.bases:
                size = struct.calcsize(CODES[base])
                gap = -place % size
                form, place = f"{form}{'x' * gap}{CODES[base]}", place + gap + size
            found.append(struct.Struct(form))
        self.bases = []
        return self.new(found)

    def loop(self, line: str, body: Callable[[], object]) -> None:
        self.flush()
        self.add(line)
        self.indent += "    "
        body()
        self.flush()
        self.indent = self.indent[4:]

    def flush(self) -> None:
        raise NotImplementedError


class _Encoder(_Code):
    def flush(self) -> None:
        if self.bases:
            self.add(f"out += {self.packed()}[len(out) & 7].pack({', '.join(self.run)})")
            self.run = []

    def message(self, name: str, item: str) -> None:
        fields = definition(name).fields
        for field, kind in fields.items():
            self.field(kind, f"{item}.{field}")
        if not fields:
            self.number("byte", "0")

    def field(self, kind: Kind, item: str) -> None:
        if kind.single:
            return self.one(kind, item)
        if kind.sequence:
            self.number("uint32", f"len({item})")
        self.flush()
        if kind.of_numbers:
            self.add(f"out = sink.array(out, {item})")
        elif kind.nested:
            self.add(f"for v in {item}: out = {self.new(encoder(kind.base))}(v, out, sink)")
        else:
            self.loop(f"for v in {item}:", lambda: self.one(kind, "v"))
        return None

    def one(self, kind: Kind, item: str) -> None:
        if kind.nested:
            self.message(kind.base, item)
        elif kind.base == "string":
            text = self.new()
            self.flush()
            self.add(f"{text} = {item}.encode()")
            self.number("uint32", f"len({text}) + 1")
            self.flush()
            self.add(f'out += {text} + b"\\0"')
        else:
            self.number(kind.base, f"{item}[0]" if kind.base == "byte" else item)


class _Decoder(_Code):
    def __init__(self) -> None:
        super().__init__(make=object.__new__, BYTES=BYTES, text=_text, numbers=_numbers)
        self.then: list[str] = []  # what is made of the numbers that wait

    def flush(self) -> None:
        if self.bases:
            self.add(f"s = {self.packed()}[p & 7]", f"{', '.join(self.run)}, = s.unpack_from(b, p)")
            self.add("p += s.size")
        self.add(*self.then)
        self.run, self.then = [], []

    def message(self, name: str) -> str:
        cls, fields = message_class(name), definition(name).fields
        values = [self.field(kind) for kind in fields.values()]
        if not fields:
            self.number("byte", self.new())
        result = self.new()
        self.then.append(f"{result} = make({self.new(cls)})")  # of values that need no check
        for setter, value in zip(cls._setters.values(), values, strict=True):
            self.then.append(f"{self.new(setter)}({result}, {value})")
        return result

    def field(self, kind: Kind) -> str:
        if kind.single:
            return self.one(kind)
        result, count = self.new(), str(kind.count)
        if kind.sequence:
            count = self.new()
            self.number("uint32", count)
        self.flush()
        if kind.of_numbers:
            self.add(f"{result}, p = numbers(b, p, {count}, {self.new(DTYPES[kind.base])})")
            return result
        self.add(f"{result} = []")

        def body() -> None:
            item = self.new() if kind.nested else self.one(kind)
            if kind.nested:
                self.add(f"{item}, p = {self.new(decoder(kind.base))}(b, p)")
            self.then.append(f"{result}.append({item})")

        self.loop(f"for _ in range({count}):", body)
        return result

    def one(self, kind: Kind) -> str:
        if kind.nested:
            return self.message(kind.base)
        result = self.new()
        if kind.base == "string":
            size = self.new()
            self.number("uint32", size)
            self.flush()
            self.add(f"{result}, p = text(b, p, {size})")
            return result
        self.number(kind.base, result)
        if kind.base == "byte":
            self.then.append(f"{result} = BYTES[{result}]")
        return result


def _text(buffer: memoryview, position: int, size: int) -> tuple[str, int]:
    end = position + size
    if end > len(buffer):
        raise ValueError(f"a text of {size} bytes at {position} is not there")
    return (str(buffer[position : end - 1], "utf-8") if size else ""), end


def _numbers(
    buffer: memoryview, position: int, count: int, dtype: np.dtype
) -> tuple[np.ndarray, int]:
    size = dtype.itemsize
    if count:
        position += -position & (size - 1)
    if count * size > len(buffer) - position:
        raise ValueError(f"{count} items of {size} bytes at {position} are not there")
    return np.frombuffer(buffer, dtype, count, position), position + size * count

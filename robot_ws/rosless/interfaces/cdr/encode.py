"""From a message to its bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from rosless.interfaces.definitions import Definition, Kind, definition
from rosless.interfaces.values import DTYPES

from .code import SIZES, Code

LARGE = 4096  # bytes: an array from here on is not copied while its message is put together


class Sink:
    """Where a message is put together: small things are copied into one buffer after the other,
    large arrays stand between them as they are."""

    def __init__(self, *first: bytes) -> None:
        self.parts: list[Any] = [*first]
        self._filled = 0  # bytes at a buffer's beginning that only keep numbers at their multiples

    def array(self, out: bytearray, values: np.ndarray) -> bytearray:
        """Append `values`; what follows goes into the buffer that is returned."""
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
def encoder(name: str, first: bool) -> Callable[[Any, bytearray, Sink], bytearray]:
    """(message, buffer under way, sink) -> buffer under way. Only of the first in a message is it
    known where it begins."""
    code = _Encoder(first)
    code.message(definition(name), "m")
    code.flush()
    function: Callable[[Any, bytearray, Sink], bytearray] = code.compiled(
        "encode(m, out, sink)", "out", name
    )
    return function


class _Encoder(Code):
    def flush(self) -> None:
        if self.format:
            pack = self.new(struct.Struct(f"<{self.format}").pack)
            self.add(f"out += {pack}({', '.join(self.run)})")
            self.format, self.run = "", []

    def skip(self, size: int) -> None:
        self.add(f"out += PADDING[-len(out) & {size - 1}]")

    def message(self, found: Definition, item: str) -> None:
        for name, kind in found.fields.items():
            self.field(kind, f"{item}.{name}")
        if not found.fields:
            self.format += "x"
            self.passed(1)

    def field(self, kind: Kind, item: str) -> None:
        if kind.sequence:
            self.number("uint32", f"len({item})")
        if kind.single:
            self.one(kind, item)
        elif not kind.nested and kind.base in DTYPES:
            self.numbers(kind, item)
        elif kind.base in ("bool", "byte"):
            self.flush()
            self.add(f"out += bytes({item})" if kind.base == "bool" else f'out += b"".join({item})')
            self.step, self.rest = 1, 0
        else:
            self.flush()
            self.add(f"for v in {item}:")
            self.indent += "    "
            self.step, self.rest = 1, 0
            if kind.nested:
                self.add(f"out = {self.new(encoder(kind.base, False))}(v, out, sink)")
            else:
                self.one(kind, "v")
            self.flush()
            self.indent = self.indent[4:]
            self.step, self.rest = 1, 0

    def one(self, kind: Kind, item: str) -> None:
        if kind.nested:
            self.message(definition(kind.base), item)
        elif kind.base == "string":
            text = f"s{len(self.lines)}"
            self.flush()
            self.add(f"{text} = {item}.encode()")
            self.number("uint32", f"len({text}) + 1")
            self.flush()
            self.add(f'out += {text} + b"\\0"')
            self.step, self.rest = 1, 0
        else:
            self.number(kind.base, f"{item}[0]" if kind.base == "byte" else item)

    def numbers(self, kind: Kind, item: str) -> None:
        size = SIZES[kind.base]
        if kind.sequence:
            self.flush()
            if size > 4:
                self.add(f"if len({item}): out += PADDING[-len(out) & {size - 1}]")
            self.after_sequence(size)
        else:
            self.align(size)
            self.flush()
            self.passed(size * (kind.count or 0))
        self.add(f"out = sink.array(out, {item})")

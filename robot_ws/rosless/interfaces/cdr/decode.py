"""From bytes to a message."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from rosless.interfaces.classes import message_class
from rosless.interfaces.definitions import Definition, Kind, definition
from rosless.interfaces.values import BYTES, DTYPES

from .code import SIZES, Code


@cache
def decoder(name: str, first: bool) -> Callable[[memoryview, int], tuple[Any, int]]:
    """(buffer, position) -> message, position behind it."""
    code = _Decoder(first)
    value = code.message(definition(name))
    code.flush()
    function: Callable[[memoryview, int], tuple[Any, int]] = code.compiled(
        "decode(b, p)", f"{value}, p", name
    )
    return function


class _Decoder(Code):
    def __init__(self, first: bool) -> None:
        super().__init__(first)
        self.then: list[str] = []  # what is made of the numbers that wait
        self.names |= {"frombuffer": np.frombuffer, "BYTES": BYTES, "require": _require}
        self.names["make"] = object.__new__

    def flush(self) -> None:
        if self.format:
            unpack = struct.Struct(f"<{self.format}")
            target = f"{', '.join(self.run)}, = " if self.run else ""
            self.add(f"{target}{self.new(unpack.unpack_from)}(b, p)")
            self.add(f"p += {unpack.size}")
            self.format, self.run = "", []
        for line in self.then:
            self.add(line)
        self.then = []

    def skip(self, size: int) -> None:
        self.add(f"p += -p & {size - 1}")

    def message(self, found: Definition) -> str:
        values = [self.field(kind) for kind in found.fields.values()]
        if not found.fields:
            self.format += "x"
            self.passed(1)
        cls, result = message_class(found.name), self.new()
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
        if kind.base in DTYPES and not kind.nested:
            size = SIZES[kind.base]
            if kind.sequence:
                self.flush()
                if size > 4:
                    self.add(f"if {count}: p += -p & {size - 1}")
                self.after_sequence(size)
            else:
                self.align(size)
                self.flush()
                self.passed(size * (kind.count or 0))
            self.add(f"require(b, p, {count}, {size})")
            self.add(f"{result} = frombuffer(b, {self.new(DTYPES[kind.base])}, {count}, p)")
            self.add(f"p += {size} * {count}")
            return result
        self.flush()
        self.add(f"require(b, p, {count}, 1)")
        self.add(f"{result} = []")
        self.add(f"for _ in range({count}):")
        self.indent += "    "
        self.step, self.rest = 1, 0
        if kind.nested:
            item = self.new()
            self.add(f"{item}, p = {self.new(decoder(kind.base, False))}(b, p)")
        else:
            item = self.one(kind)
        self.flush()
        self.add(f"{result}.append({item})")
        self.indent = self.indent[4:]
        self.step, self.rest = 1, 0
        return result

    def one(self, kind: Kind) -> str:
        if kind.nested:
            return self.message(definition(kind.base))
        result = self.new()
        if kind.base == "string":
            size = self.new()
            self.number("uint32", size)
            self.flush()
            self.add(f"require(b, p, {size}, 1)")
            self.add(f'{result} = str(b[p : p + {size} - 1], "utf-8") if {size} else ""')
            self.add(f"p += {size}")
            self.step, self.rest = 1, 0
            return result
        self.number(kind.base, result)
        if kind.base == "byte":
            self.then.append(f"{result} = BYTES[{result}]")
        return result


def _require(buffer: memoryview, position: int, count: int, size: int) -> None:
    if count * size > len(buffer) - position:
        raise ValueError(f"{count} items of {size} bytes or more at {position} are not there")

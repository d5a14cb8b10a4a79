"""Lines of a function under way, and what is known of the position in the bytes."""

from __future__ import annotations

import struct
from typing import Any

CODES = {
    **{"bool": "?", "byte": "B", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H"},
    **{"int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"},
}
SIZES = {name: struct.calcsize(f"<{code}") for name, code in CODES.items()}


class Code:
    """Lines under way, and what is known of the position: it is `rest` modulo `step`. Numbers wait
    in `run` until something else comes, for they are packed together."""

    def __init__(self, first: bool) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"PADDING": [b"\0" * count for count in range(8)]}
        self.step, self.rest = (8, 0) if first else (1, 0)
        self.format, self.run = "", list[str]()
        self.indent = "    "

    def compiled(self, signature: str, result: str, name: str) -> Any:
        text = "\n".join([f"def {signature}:", *self.lines, f"    return {result}"])
        exec(compile(text, f"<CDR of {name}>", "exec"), self.names)
        return self.names[signature.partition("(")[0]]

    def add(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def new(self, value: object = None) -> str:
        """A name, for `value` if there is one."""
        name = f"_{len(self.names)}"
        self.names[name] = value
        return name

    def align(self, size: int) -> None:
        if size <= self.step:
            gap = -self.rest % size
            self.format += "x" * gap
            self.passed(gap)
        else:
            self.flush()
            self.skip(size)
            self.step, self.rest = size, 0

    def number(self, base: str, item: str) -> None:
        size = SIZES[base]
        self.align(size)
        self.format += CODES[base]
        self.run.append(item)
        self.passed(size)

    def passed(self, size: int) -> None:
        self.rest = (self.rest + size) % self.step

    def after_sequence(self, size: int) -> None:
        """Its length was at a multiple of 4; there may be none of its items."""
        self.step, self.rest = min(size, 4), 0

    def flush(self) -> None:
        raise NotImplementedError

    def skip(self, size: int) -> None:
        raise NotImplementedError

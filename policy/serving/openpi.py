"""The messages of openpi's policy servers: msgpack, with arrays as maps of their bytes.

Written from the protocol (openpi_client/msgpack_numpy.py), with what it leaves open closed: only
numbers come in, arrays have the bytes that their shape says, and there is an end to everything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np

from policy.contract import Invalid

MAX_MESSAGE = 64 << 20
NUMBER = re.compile(r"[<>|=]?([biu][1248]|f[248])")
ARRAY, SCALAR = b"__ndarray__", b"__npgeneric__"
FORMS = {ARRAY: {ARRAY, b"data", b"dtype", b"shape"}, SCALAR: {SCALAR, b"data", b"dtype"}}
SPEAK = "look at the server: it does not speak openpi's protocol"


def pack(message: Mapping[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(dict(message), default=_as_map)
    return packed


def unpack(data: bytes) -> dict[str, Any]:
    try:
        message = msgpack.unpackb(data, object_hook=_as_array, max_ext_len=0)
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise Invalid("message", f"{data[:16]!r}", f"msgpack ({error})", SPEAK) from None
    if not isinstance(message, dict):
        raise Invalid("message", type(message).__name__, "a map", SPEAK)
    return message


def _as_map(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {
            ARRAY: True,
            b"data": value.tobytes(),
            b"dtype": value.dtype.str,
            b"shape": value.shape,
        }
    raise TypeError(f"found {type(value).__name__}, wanted arrays of numbers, numbers and text")


def _as_array(value: dict[Any, Any]) -> Any:
    form = next((one for one in FORMS if one in value), None)
    if form is None:
        return value
    dtype, shape, data = value.get(b"dtype"), value.get(b"shape", []), value.get(b"data")
    if value.keys() != FORMS[form] or not isinstance(dtype, str) or not NUMBER.fullmatch(dtype):
        raise Invalid("dtype", dtype, "whole or floating numbers", SPEAK)
    if form == SCALAR:
        if not isinstance(data, (bool, int, float)):
            raise Invalid("data", data, "a number", SPEAK)
        return data
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise Invalid("shape", shape, "whole numbers", SPEAK)
    size = np.dtype(dtype).itemsize * math.prod(shape)
    if not isinstance(data, bytes) or len(data) != size:
        found = f"{len(data)} bytes" if isinstance(data, bytes) else type(data).__name__
        raise Invalid("data", found, f"{size} bytes for {dtype} {shape}", SPEAK)
    return np.frombuffer(data, dtype).reshape(shape)

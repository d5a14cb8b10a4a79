"""What may be put into a field: the checks that ROS makes, with the remedy in the message.

They are as strict as ROS's own with ROS_PYTHON_CHECK_FIELDS=1: an int is no float, and numpy's
float32 is neither, so that a node that runs here runs there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from rosless.interfaces.definitions import Kind

_NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
DTYPES = {name: np.dtype(name).newbyteorder("<") for name in (*_NUMBERS, "float32", "float64")}
BYTES = [bytes([number]) for number in range(256)]
Check = Callable[[Any], Any]
Refuse = Callable[[object, str, str], "FieldError"]


class FieldError(AssertionError, TypeError):
    """What ROS raises is an AssertionError; it is a TypeError by nature."""


def checker(owner: str, field: str, kind: Kind, message: Callable[[str], type]) -> Check:
    """The function through which every value goes on its way into a field."""

    def refuse(value: object, wanted: str, remedy: str) -> FieldError:
        found = repr(value)
        found = found if len(found) < 60 else found[:57] + "..."
        return FieldError(
            f"{owner}.{field}: found {found} ({type(value).__name__}), wanted {wanted}; {remedy}"
        )

    def counted(value: Any, found: int) -> None:
        if kind.count is not None and found != kind.count:
            raise refuse(value, f"{kind.count} values, not {found}", "fill it up")
        if kind.bound and found > kind.bound:
            raise refuse(value, f"at most {kind.bound} values, not {found}", "leave some out")

    def many(value: Any) -> list[Any]:
        if isinstance(value, (str, bytes, dict)) or not isinstance(value, (Sequence, set)):
            what = "numbers" if kind.of_numbers else "a list"
            raise refuse(value, f"{what} ({kind})", "give a list or an array")
        counted(value, len(value))
        return [one(item) for item in value]

    def numbers(value: Any) -> np.ndarray:
        dtype = DTYPES[kind.base]
        # Real ROS makes a number of the bytes for an array, and fails.
        raw = isinstance(value, (bytes, bytearray, memoryview)) and kind.sequence
        if raw and dtype.itemsize == 1:
            found = np.frombuffer(value, dtype)
        elif isinstance(value, (np.ndarray, array)):
            found = np.asarray(value)
            if not np.can_cast(found.dtype, dtype, "no" if found.size else "unsafe"):
                raise refuse(found.dtype, f"{kind.base}", f"use .astype(np.{kind.base})")
        else:  # every item by the same rule as a field: numpy alone would wrap, cut and convert
            found = np.array(many(value), dtype)
        found = np.ascontiguousarray(found, dtype).reshape(-1)
        counted(value, len(found))
        return found

    one = _single(kind, refuse, message)
    return one if kind.single else numbers if kind.of_numbers else many


def _single(kind: Kind, refuse: Refuse, message: Callable[[str], type]) -> Check:
    def typed(types: Any, wanted: str, remedy: str, made: Check | None = None) -> Check:
        def check(value: Any) -> Any:
            if not isinstance(value, types):
                raise refuse(value, wanted, remedy)
            return value if made is None else made(value)

        return check

    if kind.nested:
        cls = message(kind.base)
        return typed(cls, cls.__name__, f"give a {cls.__module__}.{cls.__name__}")
    if kind.base == "bool":
        return typed((bool, np.bool_), "bool", "use bool(...)", bool)
    if kind.base == "byte":

        def byte(value: bytes) -> bytes:
            if len(value) != 1:
                raise refuse(value, "one byte", "use bytes([number])")
            return bytes(value)

        return typed((bytes, bytearray), "one byte", "use bytes([number])", byte)
    if kind.base == "string":

        def short(value: str) -> str:
            if len(value.encode()) > kind.limit:
                raise refuse(value, f"at most {kind.limit} bytes", "shorten it")
            return value

        return typed(str, "str", "use str(...)", short if kind.limit else None)
    if kind.base.startswith("float"):
        largest = float(np.finfo(kind.base).max)

        def real(value: Any) -> float:
            if not isinstance(value, float):
                raise refuse(value, "float", "use float(...)")
            if abs(value) > largest and abs(value) != float("inf"):
                raise refuse(value, f"{kind.base} up to {largest:.4g}", "scale it")
            return value

        return real
    low, high = int(np.iinfo(kind.base).min), int(np.iinfo(kind.base).max)

    def whole(value: Any) -> int:
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise refuse(value, "int", "use int(...)")
        number = int(value)
        if not low <= number <= high:
            raise refuse(value, f"{kind.base}, {low} to {high}", "clip it")
        return number

    return whole


def default(kind: Kind, message: Callable[[str], type]) -> Callable[[], Any]:
    """Makes the value that a new message's field has."""
    if kind.of_numbers and not kind.single:
        dtype, count = DTYPES[kind.base], kind.count or 0
        return lambda: np.zeros(count, dtype)
    if kind.sequence:
        return list
    empty = {"string": "", "bool": False, "byte": b"\0", "float32": 0.0, "float64": 0.0}
    constant = empty.get(kind.base, 0)
    single = message(kind.base) if kind.nested else lambda: constant
    if kind.count is not None:
        return lambda: [single() for _ in range(kind.count or 0)]
    return single

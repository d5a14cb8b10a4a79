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

DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
        *("float32", "float64"),
    )
}
BYTES = [bytes([number]) for number in range(256)]
Check = Callable[[Any], Any]


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

    one = _single(kind, refuse, message)
    if kind.single:
        return one
    if kind.base in DTYPES and not kind.nested:
        return _numbers(kind, refuse)

    def many(value: Any) -> list[Any]:
        if isinstance(value, (str, bytes, dict)) or not isinstance(value, (Sequence, set)):
            raise refuse(value, f"a list ({kind})", "give a list")
        _count(kind, len(value), value, refuse)
        return [one(item) for item in value]

    return many


def _single(kind: Kind, refuse: Callable[..., FieldError], message: Callable[[str], type]) -> Check:
    if kind.nested:
        cls = message(kind.base)

        def nested(value: Any) -> Any:
            if isinstance(value, cls):
                return value
            raise refuse(value, cls.__name__, f"give a {cls.__module__}.{cls.__name__}")

        return nested
    if kind.base == "string":

        def text(value: Any) -> str:
            if not isinstance(value, str):
                raise refuse(value, "str", "use str(...)")
            if kind.limit and len(value.encode()) > kind.limit:
                raise refuse(value, f"at most {kind.limit} bytes", "shorten it")
            return value

        return text
    if kind.base == "bool":

        def truth(value: Any) -> bool:
            if isinstance(value, (bool, np.bool_)):
                return bool(value)
            raise refuse(value, "bool", "use bool(...)")

        return truth
    if kind.base == "byte":

        def byte(value: Any) -> bytes:
            if isinstance(value, (bytes, bytearray)) and len(value) == 1:
                return bytes(value)
            raise refuse(value, "one byte", "use bytes([number])")

        return byte
    if kind.base.startswith("float"):
        largest = float(np.finfo(kind.base).max)

        def real(value: Any) -> float:
            if not isinstance(value, float):
                raise refuse(value, "float", "use float(...)")
            if abs(value) > largest and abs(value) != float("inf"):
                raise refuse(value, f"{kind.base} up to {largest:.4g}", "scale it")
            return value

        return real
    limits = np.iinfo(kind.base)
    low, high = int(limits.min), int(limits.max)

    def whole(value: Any) -> int:
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise refuse(value, "int", "use int(...)")
        number = int(value)
        if not low <= number <= high:
            raise refuse(value, f"{kind.base}, {low} to {high}", "clip it")
        return number

    return whole


def _numbers(kind: Kind, refuse: Callable[..., FieldError]) -> Check:
    dtype = DTYPES[kind.base]

    def numbers(value: Any) -> np.ndarray:
        if isinstance(value, (bytes, bytearray, memoryview)) and dtype.itemsize == 1:
            found = np.frombuffer(value, dtype)
        elif isinstance(value, (np.ndarray, array)):
            found = np.asarray(value)
            if not np.can_cast(found.dtype, dtype, "no" if found.size else "unsafe"):
                raise refuse(found.dtype, f"{kind.base}", f"use .astype(np.{kind.base})")
        elif isinstance(value, (str, dict)) or not isinstance(value, (Sequence, set)):
            raise refuse(value, f"numbers ({kind})", "give a list or an array")
        else:
            found = _listed(kind, dtype, list(value), refuse)
        found = np.ascontiguousarray(found, dtype).reshape(-1)
        _count(kind, len(found), value, refuse)
        return found

    return numbers


def _listed(
    kind: Kind, dtype: np.dtype, value: list[Any], refuse: Callable[..., FieldError]
) -> np.ndarray:
    # Every item by the same rule as a field: numpy alone would wrap, cut and convert.
    one = _single(Kind(kind.base), refuse, _no_message)
    return np.array([one(item) for item in value], dtype)


def _no_message(name: str) -> type:
    raise LookupError(name)


def _count(kind: Kind, found: int, value: object, refuse: Callable[..., FieldError]) -> None:
    if kind.count is not None and found != kind.count:
        raise refuse(value, f"{kind.count} values, not {found}", "fill it up")
    if kind.bound and found > kind.bound:
        raise refuse(value, f"at most {kind.bound} values, not {found}", "leave some out")


def default(kind: Kind, message: Callable[[str], type]) -> Callable[[], Any]:
    """Makes the value that a new message's field has."""
    if kind.nested:
        single: Callable[[], Any] = message(kind.base)
    else:
        empty = {"string": "", "bool": False, "byte": b"\0", "float32": 0.0, "float64": 0.0}
        constant = empty.get(kind.base, 0)
        single = lambda: constant  # noqa: E731
    if kind.base in DTYPES and not kind.nested and (kind.sequence or kind.count is not None):
        dtype, count = DTYPES[kind.base], kind.count or 0
        return lambda: np.zeros(count, dtype)
    if kind.sequence:
        return list
    if kind.count is not None:
        count = kind.count
        return lambda: [single() for _ in range(count)]
    return single

"""Message types as Cyclone DDS wants to know them, to check what is written and read."""

from __future__ import annotations

from functools import cache
from typing import Any

from cyclonedds import idl
from cyclonedds.idl import types as t

from rosless.interfaces.definitions import EMPTY, Kind, definition
from rosless.interfaces.values import DTYPES

NUMBERS: dict[str, Any] = {
    "bool": bool,
    "byte": t.byte,
    **{name: getattr(t, name) for name in DTYPES},
}
LONGEST = 65535  # of a bound that Cyclone can express
# A service's messages say whose call they are: the client's writer, and which of its calls.
CALL = {"call_client": t.uint64, "call_number": t.int64}


@cache
def idl_type(name: str, call: bool = False) -> Any:
    found = definition(name)
    fields = {field: _type(kind) for field, kind in found.fields.items()} or {EMPTY: t.uint8}
    if call:
        fields = {**CALL, **fields}
    python_name = name.replace("/", "_") + ("_call" if call else "")
    return idl.make_idl_struct(python_name, found.dds_name, fields, dataclassify=False)


def _type(kind: Kind) -> Any:
    if kind.nested:
        one = idl_type(kind.base)
    elif kind.base == "string":
        one = t.bounded_str[kind.limit] if kind.limit else str
    else:
        one = NUMBERS[kind.base]
    if kind.count is not None:
        return t.array[one, kind.count]
    if not kind.sequence:
        return one
    return t.sequence[one, kind.bound] if 0 < kind.bound <= LONGEST else t.sequence[one]

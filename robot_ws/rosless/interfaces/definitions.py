"""What a name such as geometry_msgs/msg/TwistStamped consists of.

Standard messages come with `rosbags`. It has no services and no actions: those that we need, and
our own package's, are read from their .msg, .srv and .action text, the files that colcon builds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

HERE = Path(__file__).resolve().parent
# Packages laid out as in a workspace: <package>/{msg,srv,action}/<Name>.<kind>
SHARES = (HERE / "share", HERE.parents[1] / "src")
EMPTY = "structure_needs_at_least_one_member"  # C has no struct without members
IDL = {"float64": "double", "float32": "float", "bool": "boolean", "byte": "octet"}
# rosbags forgets default values; of all standard messages one has them.
DEFAULTS = {"geometry_msgs/msg/Quaternion": {"w": 1.0}}

_CUT = re.compile(r"^---[^\n]*$", re.MULTILINE)
_GOAL = "unique_identifier_msgs/UUID goal_id\n"
# What an action is made of: three parts that its author writes, and what goes over the wire.
ACTION_PARTS = ("Goal", "Result", "Feedback")
SENT = {
    "SendGoal_Request": _GOAL + "{0}_Goal goal\n",
    "SendGoal_Response": "bool accepted\nbuiltin_interfaces/Time stamp\n",
    "GetResult_Request": _GOAL,
    "GetResult_Response": "int8 status\n{0}_Result result\n",
    "FeedbackMessage": _GOAL + "{0}_Feedback feedback\n",
}


@dataclass(frozen=True)
class Kind:
    """The type of a field: how many, and of what."""

    base: str  # "float64", "string", or the name of a message
    nested: bool = False
    count: int | None = None  # of an array; None: one, or a sequence
    sequence: bool = False
    bound: int = 0  # of the sequence; 0: none
    limit: int = 0  # of a string; 0: none

    @property
    def single(self) -> bool:
        return not self.sequence and self.count is None

    @property
    def of_numbers(self) -> bool:
        return not self.nested and self.base not in ("string", "bool", "byte")

    def __str__(self) -> str:
        base = IDL.get(self.base, self.base.replace("/msg/", "/").replace("/action/", "/"))
        if self.limit:
            base = f"string<{self.limit}>"
        if self.count is not None:
            return f"{base}[{self.count}]"
        if self.sequence:
            return f"sequence<{base}, {self.bound}>" if self.bound else f"sequence<{base}>"
        return base


@dataclass(frozen=True)
class Definition:
    name: str
    fields: Mapping[str, Kind]
    constants: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def dds_name(self) -> str:
        package, group, name = self.name.split("/")
        return f"{package}::{group}::dds_::{name}_"


@cache
def definition(name: str) -> Definition:
    """Of a message, or of one part of a service or action."""
    try:
        constants, fields = store().fielddefs[name]
    except KeyError:
        raise LookupError(f"{name}: found no definition; put its text under {SHARES[-1]}") from None
    return Definition(
        name,
        {field: _kind(desc) for field, desc in fields if field != EMPTY},
        {key: _constant(base, value) for key, base, value in constants},
        DEFAULTS.get(name, {}),
    )


@cache
def type_hash(name: str) -> str:
    return store().hash_rihs01(name)


@cache
def names() -> Mapping[str, Mapping[str, set[str]]]:
    """What can be imported: package, group (msg, srv, action), names."""
    found: dict[str, dict[str, set[str]]] = {}
    for full in (*store().fielddefs, *(name for name, _ in _texts())):
        package, group, name = full.split("/")
        found.setdefault(package, {}).setdefault(group, set()).add(name)
    return found


@cache
def store() -> Typestore:
    result = get_typestore(Stores.ROS2_JAZZY)
    for whole, text in _texts():
        for name, part in _parts(whole, text).items():
            _register(result, name, part)
    for name, (constants, fields) in result.fielddefs.items():
        # In ROS 2, a char is a byte's number.
        result.fielddefs[name] = (constants, [(field, _numbered(desc)) for field, desc in fields])
    return result


def _texts() -> list[tuple[str, str]]:
    """By name, such as regrasp_msgs/msg/Verdict."""
    files = [file for share in SHARES for file in sorted(share.glob("*/*/*.*"))]
    return [
        ("/".join((*file.parts[-3:-1], file.stem)), file.read_text())
        for file in files
        if file.suffix == f".{file.parent.name}"
    ]


def _parts(name: str, text: str) -> dict[str, str]:
    """The messages that one text defines."""
    package, group, short = name.split("/")
    if group == "msg":
        return {name: text}
    wanted = ("Request", "Response") if group == "srv" else ACTION_PARTS
    found = _CUT.split(text)
    if len(found) != len(wanted):
        raise ValueError(f"{name}: found {len(found)} parts, wanted {len(wanted)}, cut by ---")
    parts = {f"{name}_{part}": body for part, body in zip(wanted, found, strict=True)}
    if group == "action":
        here = f"{package}/action/{short}"
        parts |= {f"{name}_{part}": body.format(here) for part, body in SENT.items()}
    return parts


def _register(types: Typestore, name: str, text: str) -> None:
    # Names in a text are relative to its package's messages, wherever the text itself stands.
    package, _, short = name.split("/")
    scope = f"{package}/msg/{short}"
    found = get_types_from_msg(text.strip() + "\n", scope)
    types.register({name if key == scope else key: value for key, value in found.items()})


def _numbered(desc: Any) -> Any:
    node, inner = desc
    if node == Nodetype.BASE:
        return (node, ("uint8", inner[1])) if inner[0] == "char" else desc
    if node == Nodetype.NAME:
        return desc
    return node, (_numbered(inner[0]), inner[1])


def _constant(base: str, value: Any) -> Any:
    return bytes([value]) if base == "byte" else value


def _kind(desc: Any) -> Kind:
    node, inner = desc
    if node == Nodetype.BASE:
        return Kind(inner[0], limit=inner[1] if inner[0] == "string" else 0)
    if node == Nodetype.NAME:
        return Kind(inner, nested=True)
    one = _kind(inner[0])
    if node == Nodetype.ARRAY:
        return Kind(one.base, one.nested, count=inner[1], limit=one.limit)
    return Kind(one.base, one.nested, sequence=True, bound=inner[1], limit=one.limit)
